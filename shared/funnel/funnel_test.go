package funnel_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/funnel"
)

// of is a file of one funnel with the steps.
func of(steps string) string {
	return `[{"name":"Lead","probability":0.5,"priority":1,"enabled":true,"exit_after_completion":true,"steps":[` +
		steps + `]}]`
}

const page = `{"type":"pageview","url":"https://a.test/"}`

func TestEachBadFunnelHasItsMessage(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"0 bytes":   {"", "funnels.json: is empty; write JSON or remove the file"},
		"an object": {"{}", `funnels.json="{…}": is not a list; write […]`},
		"no step":   {of(""), "funnels.json: [0].steps: has no steps; start with a pageview"},
		"begins otherwise": {of(`{"type":"site_search","search_keyword":"x"}`),
			`funnels.json: [0].steps[0].type="site_search": is not a pageview; start with a pageview, as every visit does`},
		"steps as object": {strings.Replace(of(""), "[]", "{}", 1),
			`funnels.json: [0].steps="{…}": is not a list; write […]`},
		"a step as number": {of("5," + `{"type":"site_search","search_keyword":"x"}`),
			`funnels.json: [0].steps[0]="5": is not an object; write {…}`},
		"too many steps": {of(strings.TrimSuffix(strings.Repeat(page+",", 1001), ",")),
			"funnels.json: [0].steps: has 1001 steps, more than 1000; split it into several funnels"},
		"a blank keyword": {of(page + `,{"type":"site_search","search_keyword":" "}`),
			"funnels.json: [0].steps[1].search_keyword: is missing or empty; set it: a step of type site_search requires it"},
		"no target": {of(page + `,{"type":"outlink"}`),
			"funnels.json: [0].steps[1].target_url: is missing or empty; set it: a step of type outlink requires it"},
		"a relative link": {of(page + `,{"type":"outlink","target_url":"/x"}`),
			`funnels.json: [0].steps[1].target_url="/x": is not an http or https URL; write https://host/page`},
		"a long currency": {of(page + `,{"type":"ecommerce","ecommerce_currency":"EURO"}`),
			`funnels.json: [0].steps[1].ecommerce_currency="EURO": is not a currency; use three letters such as EUR, or remove it`},
		"a negative tax": {of(page + `,{"type":"ecommerce","ecommerce_tax":-1}`),
			`funnels.json: [0].steps[1].ecommerce_tax="-1": is not between 0 and 10000000; use an amount in that range, or remove it`},
		"no items": {of(page + `,{"type":"ecommerce","ecommerce_items":0}`),
			`funnels.json: [0].steps[1].ecommerce_items="0": is below 1; raise it or remove it`},
		"a cent too much": {of(page +
			`,{"type":"ecommerce","ecommerce_revenue":10.01,"ecommerce_subtotal":8,"ecommerce_tax":1,"ecommerce_shipping":1}`), `funnels.json: [0].steps[1].ecommerce_revenue="10.01": is not subtotal + tax + shipping = 10.00; correct or remove one of them`},
		"a negative delay": {of(`{"type":"pageview","url":"https://a.test/","delay_seconds_min":-1}`),
			`funnels.json: [0].steps[0].delay_seconds_min="-1": is not between 0 and 1799 seconds; Matomo ends a visit after 30 minutes without an action`},
		"a long title": {of(`{"type":"pageview","url":"https://a.test/","title":"` + strings.Repeat("é", 121) +
			`"}`), `funnels.json: [0].steps[0].title="` + strings.Repeat("é", 40) +
			`…": has 121 characters, more than 120; shorten it`},
		"priority below 0": {strings.Replace(of(page), `"priority":1`, `"priority":-1`, 1),
			`funnels.json: [0].priority="-1": is below 0; use 0 or more; lower priorities are tried first`},
		"no probability": {strings.Replace(of(page), `"probability":0.5,`, "", 1),
			"funnels.json: [0].probability: is missing; give a share such as 0.25"},
		"no name": {strings.Replace(of(page), "Lead", "", 1),
			"funnels.json: [0].name: is missing or empty; enter a text"},
		"enabled as 1": {strings.Replace(of(page), `"enabled":true`, `"enabled":1`, 1),
			`funnels.json: [0].enabled="1": is not true or false; write true or false without quotes`},
		"Latin-1": {strings.Replace(of(page), "Lead", "L\xe9ad", 1),
			"funnels.json: line 1: is not UTF-8; save the file as UTF-8"},
		"two faulty ones": {`[{"name":"A","probability":2,"steps":[` + page +
			`]},{"name":"B","probability":1,"steps":[]}]`,
			"funnels.json: [0].probability=\"2\": is not between 0 and 1; give a share such as 0.25\nfunnels.json: " +
				"[1].steps: has no steps; start with a pageview"},
		"unknown type": {of(page + `,{"type":"cart"}`),
			`funnels.json: [0].steps[1].type="cart": is not a step type; use pageview, event, site_search, outlink, download or ecommerce`},
		"unknown key": {of(`{"type":"pageview","url":"https://a.test/","wait":1}`),
			"funnels.json: [0].steps[0].wait: is not a known key; use one of type, url, action_name, title, " +
				"event_category, event_action, event_name, event_value, search_keyword, search_category, " +
				"search_results, target_url, ecommerce_revenue, ecommerce_items, ecommerce_subtotal, ecommerce_tax, " +
				"ecommerce_shipping, ecommerce_currency, delay_seconds_min, delay_seconds_max"},
		"duplicate key": {of(`{"type":"pageview","url":"https://a.test/","url":"https://a.test/"}`),
			"funnels.json: [0].steps[0].url: is a duplicate key; keep only one"},
		"no url": {of(`{"type":"pageview"}`),
			"funnels.json: [0].steps[0].url: is missing or empty; set it: a step of type pageview requires it"},
		"a bad url": {of(`{"type":"pageview","url":"a.test"}`),
			`funnels.json: [0].steps[0].url="a.test": is not an http or https URL; write https://host/page`},
		"event w/o action": {of(page + `,{"type":"event","event_category":"a","event_name":"b"}`),
			"funnels.json: [0].steps[1].event_action: is missing or empty; enter a text"},
		"a delay too long": {of(`{"type":"pageview","url":"https://a.test/","delay_seconds_max":1800}`),
			`funnels.json: [0].steps[0].delay_seconds_max="1800": is not between 0 and 1799 seconds; Matomo ends a visit after 30 minutes without an action`},
		"min above max": {of(
			`{"type":"pageview","url":"https://a.test/","delay_seconds_min":9,"delay_seconds_max":3}`),
			`funnels.json: [0].steps[0].delay_seconds_min="9": is above delay_seconds_max=3; lower it or raise the other`},
		"sums do not hold": {of(page +
			`,{"type":"ecommerce","ecommerce_revenue":10,"ecommerce_subtotal":5,"ecommerce_tax":1,"ecommerce_shipping":1}`), `funnels.json: [0].steps[1].ecommerce_revenue="10": is not subtotal + tax + shipping = 7.00; correct or remove one of them`},
		"half an item": {of(page + `,{"type":"ecommerce","ecommerce_items":1.5}`),
			`funnels.json: [0].steps[1].ecommerce_items="1.5": is not an integer; remove the fraction`},
		"probability 1.1": {strings.Replace(of(page), "0.5", "1.1", 1),
			`funnels.json: [0].probability="1.1": is not between 0 and 1; give a share such as 0.25`},
		"probability text": {strings.Replace(of(page), "0.5", `"0.5"`, 1),
			`funnels.json: [0].probability="0.5": is not a number; write a number without quotes`},
		"the same name": {strings.TrimSuffix(of(page), "]") + "," + strings.TrimPrefix(of(page), "["),
			`funnels.json: [1].name="Lead": is used by another funnel; choose a unique name`},
		"longer than 9 h": {of(
			strings.TrimSuffix(strings.Repeat(`{"type":"pageview","url":"https://a.test/","delay_seconds_max":1799},`,
				25), ",")), "funnels.json: [0].steps: can last 44975 s in total, more than 32400; shorten the delays"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := funnel.Decode("funnels.json", []byte(c.in))
			if err := problems.Err(); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestTextsThatMatomoChangesAreReported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ step, want, severity string }{
		"a keyword 0": {`{"type":"site_search","search_keyword":"0"}`,
			`search_keyword="0": is treated as empty by Matomo, which records a pageview instead; use another keyword`, "error"},
		"a category 0": {`{"type":"site_search","search_keyword":"x","search_category":"0"}`,
			`search_category="0": is not recorded`, "warning"},
		"a long category": {`{"type":"site_search","search_keyword":"x","search_category":"` +
			strings.Repeat("c", 201) + `"}`, `search_category="` + strings.Repeat("c", 80) + `…": is truncated at 200 bytes`,
			"warning"},
		"a title 0": {`{"type":"pageview","url":"https://a.test/","title":"0"}`,
			`title="0": is not recorded`, "warning"},
		"a long name": {`{"type":"pageview","url":"https://a.test/","action_name":"` +
			strings.Repeat("n", 1025) + `"}`, `action_name="` + strings.Repeat("n", 80) + `…": is truncated at 1024 bytes`,
			"warning"},
		"an event's name 0": {`{"type":"event","event_category":"a","event_action":"b","event_name":"0"}`,
			`event_name="0": is not recorded`, "warning"},
		"an event's name": {`{"type":"event","event_category":"a","event_action":"b"}`,
			`event_name: is missing or empty; enter a text`, "error"},
		"a value below 0": {`{"type":"event","event_category":"a","event_action":"b","event_name":"c","event_value":-3}`, `event_value="-3": is below 0; use 0 or more, or null`, "error"},
		"a special space": {`{"type":"pageview","url":"https://a.test/a\u00a0b"}`,
			`url="https://a.test/a\u00a0b": has a no-break space (U+00A0) at position 17`, "error"},
		"a password": {`{"type":"outlink","target_url":"https://me:hush@a.test/"}`,
			`target_url: contains a user name or password`, "error"},
		"a relative bare escape": {`{"type":"download","target_url":"/100%.pdf"}`,
			`target_url="/100%.pdf": has a % without an escape sequence`, "error"},
		"another host": {`{"type":"download","target_url":"//b.test/x.pdf"}`,
			`target_url="//b.test/x.pdf": is not an http or https URL`, "error"},
	} {
		_, problems := funnel.Decode("funnels.json", []byte(of(page+","+c.step)))
		if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), "funnels.json: [0].steps[1]."+c.want) ||
			string(problems[0].Severity) != c.severity {
			t.Errorf("%s: %v, want %s", name, problems, c.want)
		}
	}
}

func TestAFileOfTheOriginalIsRead(t *testing.T) {
	in := `[{"name":"Buy","description":null,"probability":0.35,"priority":0,"enabled":true,"exit_after_completion":false,"steps":[
	{"type":"pageview","url":"https://a.test/","action_name":"Home","title":null,"event_category":null,"event_action":null,"event_name":null,"event_value":null,"search_keyword":null,"search_category":null,"search_results":null,"target_url":null,"ecommerce_revenue":null,"ecommerce_items":null,"ecommerce_subtotal":null,"ecommerce_tax":null,"ecommerce_shipping":null,"ecommerce_currency":null,"delay_seconds_min":1.0,"delay_seconds_max":2.5},
	{"type":"download","url":null,"target_url":"/a.pdf","delay_seconds_min":0,"delay_seconds_max":0}]}]`
	funnels, problems := funnel.Decode("funnels.json", []byte(in))
	if problems.Err() != nil || len(funnels) != 1 || len(funnels[0].Steps) != 2 || funnels[0].ExitAfterCompletion ||
		funnels[0].Steps[0].DelayMax != 2.5 {
		t.Errorf("%+v: %v", funnels, problems)
	}
}

func TestACurrencyIsTakenAndHasNoEffect(t *testing.T) {
	funnels, problems := funnel.Decode("funnels.json",
		[]byte(of(page+`,{"type":"ecommerce","ecommerce_currency":"EUR"}`)))
	const want = `funnels.json: [0].steps[1].ecommerce_currency="EUR": has no effect: Matomo uses the site's currency; remove it`
	if problems.Err() != nil || problems.Error() != want || len(funnels) != 1 {
		t.Errorf("got  %v\nwant %s", problems, want)
	}
}

func TestFunnelsAreTriedByPriorityAndThenAsGiven(t *testing.T) {
	given := []funnel.Funnel{{Name: "c", Priority: 2}, {Name: "a"}, {Name: "b"}}
	order := ""
	for _, f := range funnel.Sorted(given) {
		order += f.Name
	}
	if order != "abc" || given[0].Name != "c" {
		t.Errorf("order %s of %v", order, given)
	}
}

func TestUnusedKeysAreWrittenAsNull(t *testing.T) {
	data, err := funnel.Encode([]funnel.Funnel{{Name: `": ""`,
		Steps: []funnel.Step{{Type: funnel.Pageview, URL: "https://a.test/?a=1&b=2"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name": "\": \"\"",`, `"description": null,`, `"url": "https://a.test/?a=1&b=2",`,
		`"target_url": null,`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is not in\n%s", want, data)
		}
	}
}

func TestSharesAreWhatEarlierFunnelsLeave(t *testing.T) {
	got := funnel.Shares([]funnel.Funnel{
		{Probability: .4, Priority: 2, Enabled: true}, {Probability: .35, Priority: 0, Enabled: true},
		{Probability: .25, Priority: 1, Enabled: true}, {Probability: 1, Priority: 0},
	})
	for i, want := range []float64{.65 * .75 * .4, .35, .65 * .25, 0} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("funnel %d: %g, want %g", i, got[i], want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(of(page)))
	f.Fuzz(func(t *testing.T, in []byte) {
		funnels, problems := funnel.Decode("funnels.json", in)
		if problems.Err() != nil {
			return
		}
		data, err := funnel.Encode(funnels)
		if err != nil {
			t.Fatal(err)
		}
		if again, problems := funnel.Decode("funnels.json", data); problems.Err() != nil ||
			!reflect.DeepEqual(again, funnels) {
			t.Fatalf("%q becomes %s: %v", in, data, problems)
		}
	})
}
