package spec_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

func noFiles(string) ([]byte, error) { return nil, errors.New("no such file") }

func parse(env map[string]string) (spec.Spec, problem.List) { return spec.Parse(env, noFiles) }

func TestDefaultsAreThoseOfTheTable(t *testing.T) {
	s, problems := parse(nil)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if s.VisitsPerDay != 20000 || s.PageviewsMin != 3 || s.PageviewsMax != 6 || s.Concurrency != 50 ||
		s.PauseMin != .5 || s.PauseMax != 2 ||
		s.SearchProbability != .15 || s.DurationMin != 1 || s.DurationMax != 8 || s.Timezone.String() != "CET" ||
		s.Currency != "SEK" ||
		!s.RandomizeCountries || !s.AutoStart || s.TaxRate != .1 || len(s.ShippingRates) != 4 ||
		s.Timeline != "compressed" || s.BounceProbability != 0 {
		t.Errorf("%+v", s)
	}
	if s.MatomoURL != "" || s.URLsFile != "" || s.FunnelsFile != "" || s.RunSeed != nil || len(s.Set) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAnEmptyVariableMeansTheDefault(t *testing.T) {
	env := map[string]string{}
	for _, f := range spec.Fields() {
		env[f.Key] = " "
	}
	s, problems := parse(env)
	if problems.Err() != nil || s.VisitsPerDay != 20000 || len(s.Set) != 0 {
		t.Errorf("%v %+v", problems, s)
	}
}

func TestEveryWayOfSayingYesAndNo(t *testing.T) {
	for word, want := range map[string]bool{"1": true, "true": true, "TRUE": true, "yes": true, "On": true, "y": true,
		"0": false, "false": false, "no": false, "off": false, "N": false} {
		s, problems := parse(map[string]string{"RANDOMIZE_VISITOR_COUNTRIES": word})
		if problems.Err() != nil || s.RandomizeCountries != want {
			t.Errorf("%q: %t, %v", word, s.RandomizeCountries, problems)
		}
	}
}

func TestEachBadValueHasItsMessage(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"SITESEARCH_PROBABILITY", "1.1", `SITESEARCH_PROBABILITY="1.1": is above 1; use at most 1`},
		{"SITESEARCH_PROBABILITY", "NaN", `SITESEARCH_PROBABILITY="NaN": is not a number; for example 0.15`},
		{"SITESEARCH_PROBABILITY", "Inf", `SITESEARCH_PROBABILITY="Inf": is not a number; for example 0.15`},
		{"SITESEARCH_PROBABILITY", "often", `SITESEARCH_PROBABILITY="often": is not a number; for example 0.15`},
		{"THRESHOLDS", "unknown=0, p95<800", `THRESHOLDS="p95<800": "800" is not a limit for p95; write 800ms or 0.8s`},
		{"LOAD_PROFILE", "10m:0→20000, 1h",
			`LOAD_PROFILE="1h": has no rate from 0 to 1e+10 visits per day; write stages as 10m:0→20000, 1h:20000`},
		{"LOAD_CURVE", "1,2,3",
			`LOAD_CURVE="3 weights": is not a day or a week; use 24 weights, or 168 from Monday 00:00`},
		{"LOAD_CURVE", "1,x", `LOAD_CURVE="1,x": is not a list of numbers; correct it or remove it`},
		{"PAGEVIEWS_MIN", "2.5", `PAGEVIEWS_MIN="2.5": is not an integer; for example 3`},
		{"PAGEVIEWS_MIN", "0", `PAGEVIEWS_MIN="0": is below 1; use at least 1`},
		{"PAGEVIEWS_MIN", "9", `PAGEVIEWS_MIN="9": is above PAGEVIEWS_MAX=6; lower it or raise PAGEVIEWS_MAX`},
		{"PAUSE_BETWEEN_PVS_MIN", "3",
			`PAUSE_BETWEEN_PVS_MIN="3": is above PAUSE_BETWEEN_PVS_MAX=2; lower it or raise PAUSE_BETWEEN_PVS_MAX`},
		{"VISIT_DURATION_MIN", "9",
			`VISIT_DURATION_MIN="9": is above VISIT_DURATION_MAX=8; lower it or raise VISIT_DURATION_MAX`},
		{"ECOMMERCE_ORDER_VALUE_MIN", "300",
			`ECOMMERCE_ORDER_VALUE_MIN="300": is above ECOMMERCE_ORDER_VALUE_MAX=299.99; lower it or raise ECOMMERCE_ORDER_VALUE_MAX`},
		{"CONCURRENCY", "10001", `CONCURRENCY="10001": is above 10000; use at most 10000`},
		{"TARGET_VISITS_PER_DAY", "2e10", `TARGET_VISITS_PER_DAY="20000000000": is above 1e10; use at most 1e10`},
		{"TIMEZONE", "Mars/Olympus",
			`TIMEZONE="Mars/Olympus": is not a time zone; use an IANA name such as Europe/Stockholm, or Matomo's spelling such as UTC+5.5`},
		{"TIMEZONE", "UTC+5:30", `TIMEZONE="UTC+5:30": is not a time zone; use UTC+5.5`},
		{"ECOMMERCE_CURRENCY", "kr",
			`ECOMMERCE_CURRENCY="kr": is not an ISO 4217 code; use three capital letters, for example EUR`},
		{"ECOMMERCE_SHIPPING_RATES", "0,x",
			`ECOMMERCE_SHIPPING_RATES="0,x": is not a list of numbers; for example 0,5.99,9.99,15.99`},
		{"ECOMMERCE_SHIPPING_RATES", "0,-1", `ECOMMERCE_SHIPPING_RATES="-1": is below 0; use at least 0`},
		{"AUTO_START", "maybe", `AUTO_START="maybe": is not a boolean; use true or false`},
		{"TIMELINE", "slow", `TIMELINE="slow": is not one of compressed, live; use compressed`},
		{"RUN_SEED", "-1", `RUN_SEED="-1": is not an integer; correct it or remove it`},
		{"RUN_ID", "a/b", `RUN_ID="a/b": is not 1 to 64 letters, digits, - and _; for example nightly-7`},
		{"SITE_URL", "shop", `SITE_URL="shop": is not a site URL; use https://host`},
		{"TELEMETRY_ADDR", "8010", `TELEMETRY_ADDR="8010": is not host:port; for example 127.0.0.1:8010, or off`},
		{"MATOMO_TOKEN_AUTH_FILE", "/gone",
			`MATOMO_TOKEN_AUTH_FILE: names a file that cannot be read; use a readable file that contains only the secret`},
	} {
		_, problems := parse(map[string]string{c.key: c.value})
		if err := problems.Err(); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	_, problems := parse(map[string]string{"PAGEVIEWS_MIN": "x", "CONCURRENCY": "0", "TIMEZONE": "nowhere",
		"LOG_LEVEL": "loud"})
	if n := len(problems.Errors()); n < 3 {
		t.Errorf("%d problems: %v", n, problems)
	}
}

func TestASecretMayComeFromAFile(t *testing.T) {
	read := func(path string) ([]byte, error) { return []byte("hush\n"), nil }
	s, problems := spec.Parse(map[string]string{"MATOMO_TOKEN_AUTH_FILE": "/run/secrets/token"}, read)
	if problems.Err() != nil || s.MatomoToken.Reveal() != "hush" {
		t.Errorf("%v, %q", problems, s.MatomoToken.Reveal())
	}
	_, problems = spec.Parse(map[string]string{"MATOMO_TOKEN_AUTH_FILE": "/x", "MATOMO_TOKEN_AUTH": "hush"}, read)
	if err := problems.Err(); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("both: %v", err)
	}
}

func TestWithoutAReaderAFileCannotBeRead(t *testing.T) {
	_, all := spec.Parse(map[string]string{"MATOMO_TOKEN_AUTH_FILE": "/run/secrets/token"}, nil)
	problems := all.Errors()
	if len(problems) != 1 || problems[0].Where != "MATOMO_TOKEN_AUTH_FILE" ||
		!strings.Contains(problems[0].Message, "cannot be read") {
		t.Errorf("got %v", problems)
	}
}

func TestKeysOfTheOriginalThatLostTheirMeaningAreAccepted(t *testing.T) {
	env := map[string]string{"START_SIGNAL_FILE": "/x", "START_CHECK_INTERVAL": "2", "BACKFILL_RUN_ONCE": "true",
		"BACKFILL_HISTORY_PATH": "/y", "BACKFILL_CONTAINER_PREFIX": "z"}
	_, problems := parse(env)
	if problems.Err() != nil {
		t.Error(problems)
	}
	reported := problems.Warnings().Error()
	guide, err := os.ReadFile("../../docs/from-the-original.md")
	if err != nil {
		t.Fatal(err)
	}
	for key := range maps.Keys(env) {
		if !strings.Contains(reported, key) {
			t.Errorf("nothing is said of %s", key)
		}
		if !strings.Contains(string(guide), "`"+key+"`") {
			t.Errorf("the guide says nothing of %s", key)
		}
	}
	if !strings.Contains(reported, `START_SIGNAL_FILE="/x": has no effect; remove it`) {
		t.Error(reported)
	}
}

func TestAnUnknownKeyIsReportedWithTheNearest(t *testing.T) {
	problems := spec.Unknown("loadgen.env",
		map[string]string{"PAGEVIEW_MIN": "3", "CONCURRENCY": "5", "MATOMO_TOKEN_AUTH_FILE": "/x", "MATOMO_TOKEN": "x",
			"XYZZY": ""}, problem.Error)
	const want = "loadgen.env: MATOMO_TOKEN: is not a known setting; did you mean MATOMO_TOKEN_AUTH?\n" +
		"loadgen.env: PAGEVIEW_MIN: is not a known setting; did you mean PAGEVIEWS_MIN?\nloadgen.env: XYZZY: is not " +
		"a known setting; remove it"
	if got := problems.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNamesOfTheStackAreNoTypingErrors(t *testing.T) {
	problems := spec.Unknown(".env",
		map[string]string{"TRAFFICINATOR_UID": "1000", "CONTROL_UI_API_KEY": "x", "CORS_ORIGINS": "y",
			"DOCKER_GID": "1", "TRAFFICINATOR_UDI": "1"}, problem.Warning)
	if got := problems.Error(); got != ".env: TRAFFICINATOR_UDI: is not a known setting; did you mean "+
		"TRAFFICINATOR_UID?" {
		t.Error(got)
	}
}

func TestMisspeltVariablesAreReported(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"TARGET_VISIT_PER_DAY": "did you mean TARGET_VISITS_PER_DAY?",
		"STOP_AFTER_VISIT":     "did you mean STOP_AFTER_VISITS?",
		"BACKFIL_ENABLED":      "did you mean BACKFILL_ENABLED?", "BACKFILL_FROM": "did you mean",
		"MATOMO_TOKEN":            "did you mean MATOMO_TOKEN_AUTH?",
		"MATOMO_TOKEN_AUTH_FILES": "did you mean MATOMO_TOKEN_AUTH_FILE?", "concurency": "did you mean CONCURRENCY?",
		"ALOWED_HOSTS":                       "did you mean ALLOWED_HOSTS?",
		"BACKFILL_SOMETHING_ELSE_ALTOGETHER": "remove it",
		// names that an environment holds anyway
		"PATH": "", "LOG_FILE": "", "HOSTNAME": "", "DATABASE_URL": "", "MATOMO_DATABASE_HOST": "",
		"MATOMO_SERVICE_HOST": "", "MATOMO_PORT_80_TCP": "",
		"LOADGEN_PORT_8010_TCP": "", "STATE_DIRECTORY": "", "RUNTIME_DIRECTORY": "", "CACHE_DIR": "", "TARGET": "",
		"LOG": "", "XDG_DATA_DIRS": "",
		"no_proxy": "", "https_proxy": "", "DOCKER_BUILDKIT": "", "TZ": "", "USER": "", "TRAFFICINATOR_BIN": "",
		"SSL_CERT_FILE": "",
		// ours
		"CONCURRENCY": "", "CONTROL_UI_API_KEY_FILE": "", "BACKFILL_RUN_ONCE": "", "MATOMO_HTTP_AUTH_FILE": "",
	} {
		got := spec.Misspelt(map[string]string{key: "1"})
		if want == "" && got != nil || want != "" &&
			(len(got) != 1 || !strings.HasPrefix(got[0].Cure, want) || got[0].Severity != problem.Warning) {
			t.Errorf("%s: %v, want %q", key, got, want)
		}
	}
	if got := spec.Misspelt(map[string]string{"BACKFIL_ENABLED": ""}); got != nil {
		t.Errorf("an empty one: %v", got)
	}
}

func TestEveryKnobIsDescribed(t *testing.T) {
	for _, f := range spec.Fields() {
		if f.Group == "" || len(f.Help) < 10 || f.Kind == envspec.Number && f.Min == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestAHighRateIsReportedForItsSetting(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"TARGET_VISITS_PER_DAY": "600000"}, `TARGET_VISITS_PER_DAY="600000": is a high load`},
		{map[string]string{"LOAD_PROFILE": "1h:20000, 1m:600000"},
			`LOAD_PROFILE="1h:20000, 1m:600000": is a high load: up to 600000 visits per day`},
		{map[string]string{"LOAD_PROFILE": "week", "TARGET_VISITS_PER_DAY": "450000"},
			`LOAD_PROFILE="week": is a high load: up to 8`},
	} {
		_, problems := parse(c.env)
		if reported := problems.Warnings().Error(); !strings.Contains(reported, c.want) {
			t.Errorf("%v: %s", c.env, reported)
		}
	}
	// The rate of stages is theirs alone.
	_, problems := parse(map[string]string{"LOAD_PROFILE": "1h:20000", "TARGET_VISITS_PER_DAY": "600000"})
	if reported := problems.Warnings().Error(); strings.Contains(reported, "more than many") {
		t.Error(reported)
	}
}

func TestMoreEventsThanVisitorsCauseAreWarnedOf(t *testing.T) {
	for env, want := range map[string]string{
		"CLICK_EVENTS_PROBABILITY=0.51":  `CLICK_EVENTS_PROBABILITY="0.51": is above 0.5, more than real visitors cause; lower it`,
		"RANDOM_EVENTS_PROBABILITY=0.31": `RANDOM_EVENTS_PROBABILITY="0.31": is above 0.3, more than real visitors cause; lower it`,
		"CLICK_EVENTS_PROBABILITY=0.5":   "", "RANDOM_EVENTS_PROBABILITY=0.3": "",
	} {
		key, value, _ := strings.Cut(env, "=")
		_, problems := parse(map[string]string{key: value, "STOP_AFTER_VISITS": "1"})
		if got := problems.Error(); got != want {
			t.Errorf("%s: %q", env, got)
		}
	}
}

func TestARunWithoutAnEndIsReported(t *testing.T) {
	for profile, endless := range map[string]bool{"constant": true, "week": true, "1h:20000": false, "1h:": false,
		"weak": false} {
		_, problems := parse(map[string]string{"LOAD_PROFILE": profile})
		if reported := strings.Contains(
			problems.Warnings().Error(),
			"continues until you stop it",
		); reported != endless {
			t.Errorf("%s: %v", profile, problems)
		}
	}
	_, problems := parse(map[string]string{"AUTO_START": "false"})
	if reported := problems.Warnings().Error(); strings.Contains(reported, "continues until you stop it") {
		t.Errorf("one that idles has no run: %s", reported)
	}
}

func TestEveryKnobHasARole(t *testing.T) {
	t.Parallel()
	for _, f := range spec.Fields() {
		if roles := []spec.Role{spec.Behaviour, spec.OfTarget, spec.OfRun, spec.Speed, spec.Place, spec.Verdict,
			spec.Log}; !slices.Contains(roles, f.Role) {
			t.Errorf("%s has the role %q: give it one of %v by its tag", f.Key, f.Role, roles)
		}
		if f.Role == spec.OfTarget != (f.Group == "Target" && f.Key != "REQUEST_TIMEOUT") {
			t.Errorf("%s of the group %s has the role %s", f.Key, f.Group, f.Role)
		}
	}
}

func TestAFormKnowsHowToEditEveryKnob(t *testing.T) {
	t.Parallel()
	want := map[string]envspec.Widget{
		"PROXY_URL": "secret", "MATOMO_HEADERS": "lines", "TLS_CA_FILE": "file", "TLS_VERIFY": "toggle",
		"ARRIVALS": "choice", "BULK_SIZE": "number", "ECOMMERCE_SHIPPING_RATES": "list", "MATOMO_URL": "tracker",
		"LOAD_CURVE": "curve", "BACKFILL_START_DATE": "date",
	}
	for _, f := range spec.Fields() {
		if f.Widget == "" || want[f.Key] != "" && f.Widget != want[f.Key] {
			t.Errorf("%s is edited with %q", f.Key, f.Widget)
		}
	}
}
