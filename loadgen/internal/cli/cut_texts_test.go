package cli

import (
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// long has its 1,024th byte inside a character when it follows an address or a title of ASCII.
func long(begin string) string {
	return begin + strings.Repeat("a", 1023-len(begin)) + "é" + strings.Repeat("b", 50)
}

// Matomo cuts texts at 1,024 bytes and refuses a hit, or a whole bulk request, where that is inside a character.
func TestLongTextsLoseNoHits(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"single", "bulk"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, nil)
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/u", "https://shop.example.test/a\tOne\n"+long("https://shop.example.test/")+
				"\tTwo\nhttps://shop.example.test/c\t"+long("Three")+"\n")
			write(t, fsys, "/f", `[{"name":"Long","probability":0.5,"priority":1,"steps":[
				{"type":"pageview","url":"`+long("https://shop.example.test/f/")+`","action_name":"`+long("Four")+`"},
				{"type":"event","url":"`+long("https://shop.example.test/f/")+`","event_category":"`+long("c")+`","event_action":"`+long("a")+`","event_name":"n"},
				{"type":"site_search","search_keyword":"`+long("lamp")+`","search_category":"`+strings.Repeat("k", 199)+`é"},
				{"type":"outlink","target_url":"`+long("https://other.example.test/")+`"},
				{"type":"download","target_url":"`+long("https://shop.example.test/files/")+`"}]}]`)
			l := start(t, fsys,
				settings(m, map[string]string{"URLS_FILE": "/u", "FUNNEL_CONFIG_PATH": "/f", "SEND_MODE": mode,
					"STOP_AFTER_VISITS": "60"}))
			l.ends(t, exitcode.OK)
			s := l.summary(t)
			recorded(t, s, m)
			if hits := s.Hits; hits.Accepted != hits.Planned {
				t.Errorf("%d of %d hits are accepted", hits.Accepted, hits.Planned)
			}
		})
	}
}

func TestCheckListsLongTitlesAndMergedPages(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/u", "https://shop.example.test/a\t"+long("One")+"\n"+long("https://shop.example.test/")+
		"\nhttp://www.shop.example.test/a#top\tTwo\nhttps://shop.example.test/d\t0\n")
	l := start(t, fsys, settings(nil, map[string]string{"MATOMO_URL": unreachable, "URLS_FILE": "/u"}), "check")
	l.ends(t, exitcode.OK)
	for _, want := range []string{
		"/u line 1: has a title that is truncated at 1024 bytes\n", "/u line 2: is truncated at 1024 bytes\n",
		"/u line 3: is recorded without its fragment (#…)\n",
		"/u line 4: is recorded without a title, because Matomo treats 0 as empty\n",
		"/u line 3: is one page with line 1 in the reports of Matomo 5.2\n",
	} {
		if !l.stdout.has(want) {
			t.Errorf("%q is not reported:\n%s", want, l.stdout.String())
		}
	}
}
