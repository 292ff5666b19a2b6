package urllist_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/puttrix/trafficinator/shared/urllist"
)

const ten = "https://a.test/1\nhttps://a.test/2\nhttps://a.test/3\nhttps://a.test/4\nhttps://a.test/5\nhttps://a.test/6\nhttps://a.test/7\nhttps://a.test/8\nhttps://a.test/9\nhttps://a.test/10\n"

func TestALineIsAnAddressAndATitle(t *testing.T) {
	in := "\xef\xbb\xbf# shop\r\nhttps://a.test/\tHome page\r\n\r\nhttp://a.test/x  Two  spaces\nhttps://a.test/y " +
		"\t  Mixed\nhttps://a.test/z\n"
	pages, problems := urllist.Parse("urls.txt", strings.NewReader(in))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	want := []urllist.Page{{"https://a.test/", "Home page", 2}, {"http://a.test/x", "Two  spaces", 4},
		{"https://a.test/y", "Mixed", 5}, {"https://a.test/z", "", 6}}
	for i := range want {
		if i >= len(pages) || pages[i] != want[i] {
			t.Fatalf("got %+v", pages)
		}
	}
}

func TestEachBadListHasItsMessage(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":       {"", "urls.txt: has no pages; add a line such as https://host/page"},
		"only comments": {"# a\n\n", "urls.txt: has no pages; add a line such as https://host/page"},
		"a single space": {ten + "https://a.test/a Title",
			`urls.txt line 11="https://a.test/a Title": has a single space; put a TAB or two spaces between URL and title; write %20 for a space in a URL`},
		"no scheme": {ten + "a.test/b\tB",
			`urls.txt line 11="a.test/b": is not an http or https URL; write https://host/page`},
		"no host": {ten + "https:///b",
			`urls.txt line 11="https:///b": is not an http or https URL; write https://host/page`},
		"Latin-1": {ten + "https://a.test/\tCaf\xe9", "urls.txt line 11: is not UTF-8; save the file as UTF-8"},
		"only a port": {ten + "https://:80/b",
			`urls.txt line 11="https://:80/b": is not an http or https URL; write https://host/page`},
		"not one page": {strings.Repeat("x\n", 200),
			strings.TrimSuffix(faults(100), "\n") + "\nurls.txt: has more problems; fix those above first"},
		"a picture": {"\x89PNG\x00", "urls.txt: is not a text file; use a text file"},
		"too many pages": {strings.Repeat(ten, 20_001),
			"urls.txt: has more than 200000 pages; keep the most important ones"},
		"a long line": {ten + "https://a.test/" + strings.Repeat("x", 9000),
			"urls.txt line 11: is longer than 8 KiB; check that this is a list of URLs"},
		"two faults": {"a\nb\n",
			"urls.txt line 1=\"a\": is not an http or https URL; write https://host/page\nurls.txt line 2=\"b\": " +
				"is not an http or https URL; write https://host/page"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := urllist.Parse("urls.txt", strings.NewReader(c.in))
			if err := problems.Err(); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// faults are the messages of n lines that hold an x.
func faults(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "urls.txt line %d=\"x\": is not an http or https URL; write https://host/page\n", i+1)
	}
	return b.String()
}

func TestAFileOfAnotherKindHasOneFault(t *testing.T) {
	t.Parallel()
	const rows = 300
	for name, c := range map[string]struct{ in, want string }{
		"a sitemap": {"<?xml version=\"1.0\"?>\n<urlset xmlns=\"x\">\n" +
			strings.Repeat("<url><loc>https://a.test/</loc></url>\n", rows), "urls.txt: is an XML sitemap"},
		"a web page": {"<!DOCTYPE html>\n<p>\n", "urls.txt: is a web page"},
		"JSON":       {"[\"https://a.test/\"]\n", "urls.txt: is JSON"},
		"CSV": {strings.Repeat("https://a.test/c,Title\n", rows),
			"urls.txt: is CSV, with commas or semicolons between URL and title; separate them with a TAB"},
		"a line of CSV":  {"https://a.test/c,Title", "urls.txt: is CSV"},
		"CSV with names": {"url,title\n" + strings.Repeat("https://a.test/c,a title\n", rows), "urls.txt: is CSV"},
		"quoted CSV": {"\"address\";\"title\"\n" + strings.Repeat("\"https://a.test/c\";\"A title\"\n", rows),
			"urls.txt: is CSV"},
		"Latin-1": {strings.Repeat("https://a.test/\tCaf\xe9\n", rows), "urls.txt line 1: is not UTF-8"},
	} {
		_, problems := urllist.Parse("urls.txt", strings.NewReader(c.in))
		if len(problems) != 1 || !strings.HasPrefix(problems.Errors().Error(), c.want) {
			t.Errorf("%s: %d problems, want %s\n%.300s", name, len(problems), c.want, problems.Error())
		}
	}
}

func TestListsOfEveryEditorAreRead(t *testing.T) {
	t.Parallel()
	const text = "https://a.test/caf%C3%A9\tCafé\nhttps://a.test/wiki/Washington,_D.C.\nhttps://a.test/article,123.html\n"
	for name, in := range map[string]string{
		"UTF-8": text, "UTF-8 with a mark": "\ufeff" + text, "lines of Windows": strings.ReplaceAll(text, "\n", "\r\n"),
		"lines of old Macs": strings.ReplaceAll(text, "\n", "\r"),
		"UTF-16":            utf16Of(text),
	} {
		pages, problems := urllist.Parse("urls.txt", strings.NewReader(in))
		if problems.Err() != nil || len(pages) != 3 || pages[0].Title != "Café" || pages[2].Line != 3 {
			t.Errorf("%s: %+v, %v", name, pages, problems)
		}
	}
}

func utf16Of(text string) string {
	b := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

func TestOddCharactersOfALineAreNamed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a.test/a\u00a0Title": `urls.txt line 1="https://a.test/a\u00a0Title": has a no-break space (U+00A0) at position 17; put a TAB or two plain spaces between URL and title`,
		"https://a.test/a\u200b\tT":   `urls.txt line 1="https://a.test/a\u200b": has a zero-width space (U+200B) at position 17; remove it`,
		"https://a.test/100%-wool":    `urls.txt line 1="https://a.test/100%-wool": has a % without an escape sequence at position 19; write %25 for a percent sign`,
		"https://me:hush@a.test/":     `urls.txt line 1: contains a user name or password, which Matomo would record; remove it`,
		"https://a.test/?q=100%":      ``,
		"https://a.test/%C3%A9\u00a0": ``, // the spaces at the end of a line mean nothing
		"https://a.test/a\t\u00a0T":   ``,
	} {
		pages, problems := urllist.Parse("urls.txt", strings.NewReader(in))
		if got := problems.Errors().Error(); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", in, got, want)
		}
		if want == "" && (len(pages) != 1 || strings.Contains(pages[0].URL+pages[0].Title, "\u00a0")) {
			t.Errorf("%q: %+v", in, pages)
		}
	}
	_, problems := urllist.Parse("urls.txt",
		strings.NewReader(strings.Repeat("https://a.test/a\tOne\u200bword\n", 200)))
	reported := problems.Warnings().Error()
	if n := strings.Count(reported, "has a zero-width space (U+200B) at position 4 of the title"); n != 5 ||
		!strings.Contains(reported, "has 195 more lines with invisible characters in the title") {
		t.Errorf("%d lines are reported:\n%s", n, reported)
	}
}

func TestALineOf8KiBIsRead(t *testing.T) {
	line := "https://a.test/" + strings.Repeat("x", urllist.MaxLine-len("https://a.test/"))
	pages, problems := urllist.Parse("urls.txt", strings.NewReader(ten+line+"\r\n"))
	if problems.Err() != nil || pages[len(pages)-1].URL != line {
		t.Error(problems)
	}
}

// endless gives lines for ever and counts what is taken of it.
type endless struct{ taken int }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, bytes.Repeat([]byte("# a comment of many\n"), len(p)/20+1))
	e.taken += n
	return n, nil
}

func TestAHugeListIsRefusedBeforeItIsRead(t *testing.T) {
	source := &endless{}
	_, problems := urllist.Parse("urls.txt", io.LimitReader(source, 100<<20))
	if err := problems.Err(); err == nil ||
		err.Error() != "urls.txt: is larger than 32 MiB; keep the most important pages" {
		t.Error(err)
	}
	if source.taken > 34<<20 {
		t.Errorf("%d bytes were read", source.taken)
	}
}

func TestWarningsAreNoErrors(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
	}{
		"few pages": {"https://a.test/1\n",
			"urls.txt: has only 1 pages; realistic reports need about 100; add pages"},
		"many pages": {
			pagesFrom(1, 50_001),
			"urls.txt: has 50001 pages; Matomo groups the rarest as Others; keep the most important ones",
		},
		"duplicates, of which five are reported": {
			pagesFrom(1, 100) + strings.Repeat("https://a.test/7\n", 7),
			duplicate(101) + duplicate(102) + duplicate(103) + duplicate(104) + duplicate(105) +
				"urls.txt: has 2 more duplicate lines; remove them",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := urllist.Parse("urls.txt", strings.NewReader(c.in))
			if got := problems.Warnings().Error(); problems.Err() != nil || got != c.want {
				t.Errorf("got  %v\nwant %s", problems, c.want)
			}
		})
	}
}

func pagesFrom(first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		fmt.Fprintf(&b, "https://a.test/%d\n", i)
	}
	return b.String()
}

func duplicate(line int) string {
	return fmt.Sprintf("urls.txt line %d=\"https://a.test/7\": is a duplicate of line 7; remove one, or keep both so "+
		"that it is visited more often\n", line)
}

func TestTheBuiltInPages(t *testing.T) {
	pages := urllist.Default("")
	urls, titles, top := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, p := range pages {
		urls[p.URL], titles[p.Title] = true, true
		if !strings.HasPrefix(p.URL, "https://shop.example.test/") || urllist.Classify(p).Explain() != "" {
			t.Fatalf("%+v", p)
		}
		top[strings.Join(strings.Split(p.URL, "/")[3:5], "/")]++
	}
	if len(pages) != 2000 || len(urls) != 2000 || len(titles) != 2000 || len(top) != 50 {
		t.Errorf("%d pages, %d addresses, %d titles, %d subcategories", len(pages), len(urls), len(titles), len(top))
	}
	for name, n := range top {
		if n != 40 {
			t.Errorf("%s has %d pages", name, n)
		}
	}
	if moved := urllist.Default("https://my.test/shop/"); moved[0].URL != strings.Replace(pages[0].URL,
		"https://shop.example.test", "https://my.test/shop", 1) {
		t.Error(moved[0].URL)
	}
}

func TestWhatMatomoRecordsOtherwise(t *testing.T) {
	for url, want := range map[string]string{
		"https://a.test/x":                    "",
		"https://a.test/x?page=2&colour=q":    "",
		"https://a.test/x?q=":                 "",
		"https://a.test/x?q=0":                "",
		"https://a.test/x?q=+":                "",
		"https://a.test/x?q=%20&s=lamp":       "", // the first that is given decides
		"https://a.test/x?q[0]=lamp":          "", // Matomo knows only arrays without an index
		"https://a.test/x?%71=lamp":           "", // names stay escaped
		"https://a.test/x?a=1;q=lamp":         "",
		"https://a.test/x#/p?utm_source=mail": "is recorded without its fragment (#…)",
		"https://a.test/x;q=lamp": "is recorded as a site search because of " +
			"a search parameter",
		"https://a.test/x?a=1&amp;q=lamp": "is recorded as a site search because of " +
			"a search parameter",
		"https://a.test/x?q=50%": "is recorded as a site search because of " +
			"a search parameter",
		"https://a.test/x?keywords%5B%5D=lamp": "is recorded as a site search because of " +
			"a search parameter",
		"https://a.test/x?UTM_source=mail":   "is recorded without utm_source",
		"https://a.test/x?utm_source[]=mail": "is recorded without utm_source",
		"https://a.test/x?SID=1&sid[]=2":     "is recorded without sid",
		"https://a.test/x?ignore_referrer=1&pk_cpn=a": "is only used as an entry page of direct visits, because of ignore_referrer; is " +
			"recorded without ignore_referrer, pk_cpn",
		"https://a.test/x#utm_source=mail": "is only used as an entry page, because its campaign parameter would " +
			"split a visit; is recorded without its fragment (#…)",
		"https://a.test/x?Q=lamp": "is recorded as a site search because of " +
			"a search parameter",
		"https://a.test/x?keywords[]=lamp": "is recorded as a site search because of " +
			"a search parameter",
		"https://a.test/x#?s=lamp": "is recorded as a site search because of " +
			"a search parameter; is recorded without its fragment (#…)",
		"https://a.test/x?utm_source=mail": "is only used as an entry page, because its campaign parameter would " +
			"split a visit; is recorded without utm_source",
		"https://a.test/x?mtm_campaign=a&gclid=1": "is only used as an entry page, because its campaign parameter would " +
			"split a visit; is recorded without mtm_campaign, gclid",
		"https://a.test/x#top":                        "is recorded without its fragment (#…)",
		"https://a.test/" + strings.Repeat("x", 1024): "is truncated at 1024 bytes",
	} {
		if got := urllist.Classify(urllist.Page{URL: url}).Explain(); got != want {
			t.Errorf("%.40s\ngot  %s\nwant %s", url, got, want)
		}
	}
}

func TestTitlesThatMatomoCutsOrTakesForNone(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"": "", "Title": "", "0": "is recorded without a title, because Matomo treats 0 as empty", "00": "",
		strings.Repeat("é", 512): "", strings.Repeat("é", 513): "has a title that is truncated at 1024 bytes",
	} {
		if got := urllist.Classify(urllist.Page{URL: "https://a.test/x", Title: title}).Explain(); got != want {
			t.Errorf("%.40q: %s, want %s", title, got, want)
		}
	}
}

// Each line was sent to Matomo 5.2.0-b5 and looked up in Actions.getPageUrls.
func TestPagesThatMatomoCountsInOneRow(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"https://SHOP.test/host/a", "https://shop.test/host/a"},
		{"http://shop.test/scheme", "https://shop.test/scheme"},
		{"https://www.shop.test/www", "https://shop.test/www"},
		{"https://shop.test/slash/", "https://shop.test/slash/index"},
		{"https://shop.test/frag#a", "https://shop.test/frag"},
		{"https://shop.test/excl?gclid=1", "https://shop.test/excl", "https://shop.test/excl?"},
		{"https://shop.test/double//x", "https://shop.test/double/x", "https://other.test/double/x"},
		{"https://shop.test:443/port", "https://shop.test/port"},
		{"https://shop.test/par?a=2&b=1", "https://shop.test/par?a=2&b=1&a=2"},
		{"https://shop.test/dup?a=1&a=2", "https://shop.test/dup?a=2"},
		{"https://shop.test/amp?a=1&amp;b=2", "https://shop.test/amp?a=1&b=2"},
		{"https://shop.test/matrix;a=1", "https://shop.test/matrix?a=1"},
		{"https://shop.test", "https://shop.test/", "https://shop.test/index"},
	} {
		var pages []urllist.Page
		for i, address := range same {
			pages = append(pages, urllist.Page{URL: address, Line: i + 1})
		}
		got := urllist.FindMerged(append(pages, pages[0]))
		if len(got) < len(same)-1 || got[0].Page != pages[1] || got[0].With != pages[0] {
			t.Errorf("%v: %v", same, got)
		}
	}
	if got := urllist.FindMerged([]urllist.Page{
		{URL: "https://shop.test/case/A"}, {URL: "https://shop.test/case/a"}, {URL: "https://shop.test/slash/"},
		{URL: "https://shop.test/slash"},
		{URL: "https://shop.test/esc%2Fx"}, {URL: "https://shop.test/esc%2fx"}, {URL: "https://shop.test/caf%C3%A9"},
		{URL: "https://shop.test/café"},
		{URL: "https://shop.test/par?b=1&a=2"}, {URL: "https://shop.test/par?a=2&b=1"},
		{URL: "https://shop.test/empty?x="}, {URL: "https://shop.test/empty?x"},
		{URL: "https://shop.test/s?q=a"}, {URL: "http://shop.test/s?q=a"},
	}); got != nil {
		t.Errorf("apart in Matomo: %v", got)
	}
	if got := urllist.FindMerged(urllist.Default("")); got != nil {
		t.Errorf("built in: %v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(ten))
	f.Add([]byte("https://a.test/\tx\n\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		pages, problems := urllist.Parse("urls.txt", bytes.NewReader(in))
		if problems.Err() != nil {
			return
		}
		again, problems := urllist.Parse("urls.txt", bytes.NewReader(urllist.Encode(pages)))
		if problems.Err() != nil || len(again) != len(pages) {
			t.Fatalf("%q becomes %q: %v", in, urllist.Encode(pages), problems)
		}
	})
}
