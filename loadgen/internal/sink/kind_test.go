package sink_test

import "testing"

func TestARequestIsRecordedAsOneKind(t *testing.T) {
	cases := []struct {
		name string
		hit  params
		want string
	}{
		{"a page is a pageview", page(2), "pageview"},
		{"a search parameter makes a search", extra(1, "search", "x"), "search"},
		{"a blank search is a page", page(2).with("search", " "), "pageview"},
		{"search 0 is empty to PHP", page(2).with("search", "0"), "pageview"},
		{"a page address with q is a search by accident", page(2).with("url", "https://shop.test/p?q=lamp"), "search"},
		{"the name of the parameter counts in any case",
			page(2).with("url", "https://shop.test/p?KeyWord=lamp"), "search"},
		{"a search in the fragment counts", page(2).with("url", "https://shop.test/p#/list?query=lamp"), "search"},
		{"an empty q is no search", page(2).with("url", "https://shop.test/p?q="), "pageview"},
		{"a q after a semicolon counts", page(2).with("url", "https://shop.test/p;q=lamp"), "search"},
		{"a semicolon inside a query separates nothing", page(2).with("url", "https://shop.test/p?a=1;q=lamp"),
			"pageview"},
		{"a q with a loose % counts", page(2).with("url", "https://shop.test/p?q=50%"), "search"},
		{"a q in an array counts", page(2).with("url", "https://shop.test/p?q[]=lamp"), "search"},
		{"a q after an entity counts", page(2).with("url", "https://shop.test/p?a=1&amp;q=lamp"), "search"},
		{"another parameter is no search", page(2).with("url", "https://shop.test/p?page=2"), "pageview"},
		{"an event wins over a search", extra(1, "search", "x", "e_c", "c", "e_a", "a"), "event"},
		{"an event category without action is a page", page(2).with("e_c", "c"), "pageview"},
		{"content wins over a search", extra(1, "c_n", "banner", "search", "x"), "content"},
		{"an event wins over content", extra(1, "c_n", "banner", "e_c", "c", "e_a", "a"), "event"},
		{"an outlink wins over an event", extra(1, "link", "https://a.test/", "e_c", "c", "e_a", "a"), "outlink"},
		{"an outlink from a page with q is an outlink",
			extra(1, "link", "https://a.test/", "url", "https://shop.test/p?q=x"), "outlink"},
		{"a download wins over an outlink", extra(1, "link", "https://a.test/", "download", "https://a.test/b.pdf"),
			"download"},
		{"an order wins over everything", order(1, "o").with("download", "https://a.test/b.pdf"), "order"},
		{"idgoal 0 without ec_id is a cart", extra(1, "idgoal", "0", "revenue", "5"), "cart"},
		{"a ping is no action", extra(1, "ping", "1", "e_c", "c", "e_a", "a"), "ping"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			f.post(page(1).at(0))
			before := f.site().Hits[c.want]
			if status := f.post(c.hit.at(10)); status != 200 {
				t.Fatalf("status %d", status)
			}
			if got := f.site().Hits; got[c.want] != before+1 {
				t.Errorf("recorded %v, want one more %s", got, c.want)
			}
			var sum int64
			for _, n := range f.site().Hits {
				sum += n
			}
			if sum != 2 {
				t.Errorf("two requests became %d hits", sum)
			}
		})
	}
}

func TestOnlyActionsEndABounce(t *testing.T) {
	cases := []struct {
		name             string
		second           params
		actions, bounces int64
	}{
		{"page and event is no bounce", extra(1, "e_c", "c", "e_a", "a"), 2, 0},
		{"page and order is a bounce", order(1, "o"), 1, 1}, {"page and ping is a bounce", extra(1, "ping", "1"), 1, 1},
		{"page and content is a bounce", extra(1, "c_n", "banner"), 1, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			f.post(page(1).at(0), c.second.at(10))
			if got := f.site(); got.Actions != c.actions || got.Bounces != c.bounces {
				t.Errorf("actions %d, bounces %d", got.Actions, got.Bounces)
			}
		})
	}
}
