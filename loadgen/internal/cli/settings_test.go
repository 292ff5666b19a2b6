package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// unreachable is an address to which no test may send.
const unreachable = "http://127.0.0.1:1/matomo.php"

const (
	useTracker   = "; set it to the tracker URL, such as https://host/matomo.php"
	writeTracker = "; write https://host/matomo.php"
	asUTF8       = "; save the file as UTF-8"
)

func TestInvalidSettings(t *testing.T) {
	t.Parallel()
	type set = map[string]string
	multi := func(rest string) string {
		return `{"targets":[{"name":"a","url":"https://m.example.test/matomo.php","site_id":1` + rest + `}]}`
	}
	for name, c := range map[string]struct {
		env, files set
		want       []string
	}{
		"no address": {set{"MATOMO_URL": ""}, nil, []string{`MATOMO_URL: is not set` + useTracker}},
		"an address with a comment": {
			set{"MATOMO_URL": "https://host/ # live"}, nil,
			[]string{`MATOMO_URL: contains a comment; move comments to their own line: docker run --env-file keeps them as part of the value`},
		},
		"an address without a scheme": {set{"MATOMO_URL": "host"}, nil,
			[]string{`MATOMO_URL: is not an http or https URL` + writeTracker}},
		"two passwords": {
			set{"MATOMO_URL": "https://me:hunter2@host/matomo.php", "MATOMO_HTTP_AUTH": "me:hunter3"}, nil,
			[]string{`MATOMO_URL="https://xxxxx@host/matomo.php": contains a user and password that differ from MATOMO_HTTP_AUTH; keep only one`},
		},
		"an address with a token": {
			set{"MATOMO_URL": "https://host/matomo.php?token_auth=hunter2"}, nil,
			[]string{`MATOMO_URL="https://host/matomo.php": has a token in its query` + writeTracker},
		},
		"a probability above 1": {set{"SITESEARCH_PROBABILITY": "1.1"}, nil,
			[]string{`SITESEARCH_PROBABILITY="1.1": is above 1; use at most 1`}},
		"a negative probability": {
			set{"OUTLINKS_PROBABILITY": "-0.1"}, nil,
			[]string{`OUTLINKS_PROBABILITY="-0.1": is below 0; use at least 0`},
		},
		"not a number": {set{"SITESEARCH_PROBABILITY": "NaN"}, nil,
			[]string{`SITESEARCH_PROBABILITY="NaN": is not a number; for example 0.15`}},
		"a least above the most": {
			set{"PAGEVIEWS_MIN": "9", "PAGEVIEWS_MAX": "3"}, nil,
			[]string{`PAGEVIEWS_MIN="9": is above PAGEVIEWS_MAX=3; lower it or raise PAGEVIEWS_MAX`},
		},
		"an unknown zone": {
			set{"TIMEZONE": "Mars/Olympus"}, nil,
			[]string{`TIMEZONE="Mars/Olympus": is not a time zone; use an IANA name such as Europe/Stockholm, or Matomo's spelling such as UTC+5.5`},
		},
		"a URL list that is not there": {
			set{"URLS_FILE": "/none"}, nil,
			[]string{`URLS_FILE="/none": cannot be read: open /none: file does not exist; set it to an existing file that this user can read`},
		},
		"an empty URL list": {
			set{"URLS_FILE": "/u"}, set{"/u": ""}, []string{`/u: has no pages; add a line such as https://host/page`},
		},
		"a URL list in Latin-1": {
			set{"URLS_FILE": "/u"}, set{"/u": "https://shop.example.test/\tCaf\xe9\n"},
			[]string{`/u line 1: is not UTF-8` + asUTF8},
		},
		"a duplicate key in the funnels": {
			set{"FUNNEL_CONFIG_PATH": "/f"}, set{"/f": strings.Replace(goesOn, `"name":`, `"name":"twin","name":`, 1)},
			[]string{`/f: [0].name: is a duplicate key; keep only one`},
		},
		"a wrong type in the funnels": {
			set{"FUNNEL_CONFIG_PATH": "/f"}, set{"/f": strings.Replace(goesOn, `0.2`, `"often"`, 1)},
			[]string{`/f: [0].probability="often": is not a number; write a number without quotes`},
		},
		"targets that are not JSON": {
			set{"MULTI_TARGET_CONFIG": "{\n\"targets\": [,]}"}, nil,
			[]string{"MULTI_TARGET_CONFIG: line 2: is not valid JSON: invalid character ',' looking for beginning of " +
				"value; fix the syntax"},
		},
		"a weight of 0": {
			set{"MULTI_TARGET_CONFIG": multi(`,"weight":0`)}, nil,
			[]string{`MULTI_TARGET_CONFIG: targets[0].weight: is not between 1 and 100; use a weight in that range`},
		},
		"targets from two places": {
			set{"MULTI_TARGET_CONFIG": multi(""), "EXCHANGE_DIR": "/x"}, set{"/x/targets.json": multi("")},
			[]string{`MULTI_TARGET_CONFIG: is set, and /x/targets.json exists; keep only one`},
		},
		"an unknown key in loadgen.env": {
			set{"LOADGEN_ENV_FILE": "/x/loadgen.env"}, set{"/x/loadgen.env": "CONCURENCY=5\n"},
			[]string{`loadgen.env: CONCURENCY: is not a known setting; did you mean CONCURRENCY?`},
		},
		"a token given twice": {
			set{"MATOMO_TOKEN_AUTH": "hunter2", "MATOMO_TOKEN_AUTH_FILE": "/t"}, set{"/t": "hunter2"},
			[]string{`MATOMO_TOKEN_AUTH_FILE: is set together with MATOMO_TOKEN_AUTH; keep only one`},
		},
		"everything at once": {
			set{"MATOMO_URL": "", "OUTLINKS_PROBABILITY": "NaN", "CONCURRENCY": "0", "PAGEVIEWS_MIN": "9",
				"TIMEZONE": "Mars", "URLS_FILE": "/u", "FUNNEL_CONFIG_PATH": "/f"},
			set{"/u": "nonsense\n", "/f": "{}"},
			[]string{
				`TIMEZONE="Mars": is not a time zone; use an IANA name such as Europe/Stockholm, or Matomo's spelling such as UTC+5.5`,
				`OUTLINKS_PROBABILITY="NaN": is not a number; for example 0.10`,
				`CONCURRENCY="0": is below 1; use at least 1`,
				`PAGEVIEWS_MIN="9": is above PAGEVIEWS_MAX=6; lower it or raise PAGEVIEWS_MAX`,
				`/u line 1="nonsense": is not an http or https URL; write https://host/page`,
				`/f="{…}": is not a list; write […]`,
				`MATOMO_URL: is not set` + useTracker,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := afero.NewMemMapFs()
			for path, content := range c.files {
				write(t, fsys, path, content)
			}
			env := settings(nil, set{"MATOMO_URL": unreachable, "MATOMO_TOKEN_AUTH": ""})
			maps.Copy(env, c.env)
			refused(t, start(t, fsys, env), c.want...)
		})
	}
}

// refused demands exit code 2 and exactly these errors.
func refused(t *testing.T, l *loadgen, want ...string) {
	t.Helper()
	l.ends(t, exitcode.BadConfig)
	var got []string
	for line := range strings.Lines(l.stderr.String()) {
		if printed, is := strings.CutPrefix(strings.TrimSpace(line), "error: "); is {
			got = append(got, printed)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("errors\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if l.stderr.has("hunter2") {
		t.Error("a secret is shown")
	}
}

func TestURLListOf100MBIsRejected(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "urls.txt")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100<<20); err != nil {
		t.Fatal(err)
	}
	l := start(t, afero.NewOsFs(), settings(nil, map[string]string{"MATOMO_URL": unreachable, "URLS_FILE": path}))
	refused(t, l, path+`: is larger than 32 MiB; make it smaller`)
}

func TestURLListFromWindowsIsRead(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/u", "\xef\xbb\xbfhttps://shop.example.test/\tStart\r\nhttps://shop.example.test/café  Café\r\n")
	l := start(t, fsys, settings(m, map[string]string{"URLS_FILE": "/u", "STOP_AFTER_VISITS": "20"}))
	l.ends(t, exitcode.OK)
	recorded(t, l.summary(t), m)
	titles := m.Counts().Total.Titles
	if len(titles) != 2 || titles["Start"] == 0 || titles["Café"] == 0 {
		t.Errorf("titles %v, want Start and Café", titles)
	}
}
