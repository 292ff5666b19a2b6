package api_test

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

// saved is the saved configuration with its revision.
func (f *fixture) saved(t *testing.T) map[string]any {
	t.Helper()
	got := f.ask("GET", "/api/config", "").object(t)
	return map[string]any{"revision": got["revision"], "config": got["config"], "set": got["set"]}
}

const address = "http://127.0.0.1:1/matomo.php"

func TestAnApplyThatIsRefusedLeavesWhatIsSaved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		err    error
		tag    string
		status int
	}{
		"a loadgen that does not take it": {`{"config":{"TARGET_VISITS_PER_DAY":86400}}`,
			&run.StartError{ExitCode: 2, RolledBack: true}, "", 409},
		"an engine that is away": {`{"config":{"TARGET_VISITS_PER_DAY":86400}}`,
			launcher.ErrUnavailable, "", 503},
		"a stop meanwhile":     {`{"config":{"TARGET_VISITS_PER_DAY":86400}}`, run.ErrStopped, "", 409},
		"a bad setting":        {`{"config":{"CONCURRENCY":0}}`, nil, "", 422},
		"somebody else's save": {`{"config":{"CONCURRENCY":3}}`, nil, `"99"`, 412},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"`+address+`","MATOMO_TOKEN_AUTH":"`+token+
				`","CONCURRENCY":7}}`)
			before := f.saved(t)
			f.runs.err = c.err
			if got := f.ask("POST", "/api/config/apply", c.body, "If-Match", c.tag); got.Code != c.status {
				t.Fatalf("%d %s, want %d", got.Code, got.Body, c.status)
			}
			for key, was := range before {
				if now := f.saved(t)[key]; !equal(now, was) {
					t.Errorf("%s was %v, is %v", key, was, now)
				}
			}
			f.runs.err = nil
			if got := f.ask("POST", "/api/config/apply",
				`{"config":{"matomo_url":"`+address+
					`","matomo_token_auth":"***MASKED***","concurrency":"9","BACKFILL_SEED":""}}`); got.Code != http.StatusOK {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			if got := value(t, f.saved(t), "config.CONCURRENCY"); got != 9. {
				t.Errorf("an apply that is taken saved CONCURRENCY=%v", got)
			}
		})
	}
}

func TestAPatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"`+address+`","MATOMO_TOKEN_AUTH":"`+token+
		`","CONCURRENCY":7,"PAGEVIEWS_MIN":2}}`)
	for _, c := range []struct {
		body string
		want map[string]any
	}{
		{`{"config":{"stop_after_visits":50}}`,
			map[string]any{"STOP_AFTER_VISITS": 50., "CONCURRENCY": 7., "MATOMO_URL": address,
				"MATOMO_TOKEN_AUTH": "***MASKED***"}},
		{`{"config":{"CONCURRENCY":null,"PAGEVIEWS_MIN":""}}`,
			map[string]any{"CONCURRENCY": 50., "PAGEVIEWS_MIN": 3., "STOP_AFTER_VISITS": 50.}},
		{`{"config":{"MATOMO_TOKEN_AUTH":null}}`, map[string]any{"MATOMO_TOKEN_AUTH": "", "MATOMO_URL": address}},
		{`{"config":{}}`, map[string]any{"MATOMO_URL": address, "STOP_AFTER_VISITS": 50.}},
	} {
		got := f.ask("PATCH", "/api/config", c.body)
		if got.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", c.body, got.Code, got.Body)
		}
		for key, want := range c.want {
			if v := value(t, got.object(t), "config."+key); v != want {
				t.Errorf("%s: %s is %v, want %v", c.body, key, v, want)
			}
		}
	}
	if got := f.ask("PATCH", "/api/config", `{"config":{"CONCURRENCY":1}}`, "If-Match",
		`"1"`); got.Code != http.StatusPreconditionFailed {
		t.Errorf("an old tag: %d", got.Code)
	}
	if got := f.ask("PATCH", "/api/config",
		`{"config":{"MATOMO_URL":"ftp://x"}}`); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("a bad value: %d", got.Code)
	}
}

func TestAnEmptyTokenIsWarnedOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"`+address+`","MATOMO_TOKEN_AUTH":"`+token+`"}}`)
	const want = "is empty, which removes the saved one; send ***MASKED*** or leave it out to keep it"
	got := f.ask("POST", "/api/validate", `{"config":{"matomo_url":"`+address+`","matomo_token_auth":""}}`).object(t)
	if w, _ := got["warnings"].([]any); len(w) == 0 || value(t, w[0], "message") != want {
		t.Errorf("got %v", got)
	}
}

func TestAValidationIsThatOfThePlan(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ask := func() (valid any, told []string) {
		got := f.ask("POST", "/api/validate",
			`{"config":{"MATOMO_URL":"`+address+`","AUTO_STOP_AFTER_HOURS":1}}`).object(t)
		for _, list := range []string{"errors", "warnings"} {
			all, _ := got[list].([]any)
			for _, p := range all {
				told = append(told, value(t, p, "severity").(string)+" "+value(t, p, "field").(string)+": "+
					value(t, p, "message").(string))
			}
		}
		return got["valid"], told
	}
	if valid, told := ask(); valid != true || told != nil {
		t.Errorf("a good one: %v %v", valid, told)
	}
	f.outline = outline{code: 2}
	f.outline.problems.Refuse("funnels.json: [0].steps[1]", "", "revenue 1.00 leaves nothing", "change it")
	f.outline.problems.Warn("RANDOMIZE_VISITOR_COUNTRIES", "true", "has no token at target b", "give a token")
	if valid, told := ask(); valid != false || !equal(told, []string{
		"error funnels.json: [0].steps[1]: revenue 1.00 leaves nothing; change it",
		"warning RANDOMIZE_VISITOR_COUNTRIES: has no token at target b; give a token",
	}) {
		t.Errorf("a bad plan: %v %q", valid, told)
	}
	f.outline = outline{err: launcher.ErrUnavailable}
	if valid, told := ask(); valid != true || !equal(told, []string{
		"warning loadgen: could not check the plan, only the settings: plan the visits: the " +
			"container engine does not respond; validate again",
	}) {
		t.Errorf("no engine: %v %q", valid, told)
	}
}

func TestAnApplyThatCannotBePublishedWhileNothingRunsIsSavedAndSaysSo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.disk.set(syscall.ENOSPC)
	got := f.ask("POST", "/api/config/apply", `{"config":{"MATOMO_URL":"`+address+`","STOP_AFTER_VISITS":5}}`)
	if got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if !holds(got.object(t)["warnings"], "is saved, but not published yet: ") {
		t.Errorf("got %s", got.Body)
	}
	if v := value(t, f.saved(t), "config.STOP_AFTER_VISITS"); v != 5. {
		t.Errorf("saved %v", v)
	}
}

func TestAnApplyThatCannotBeSavedIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tag := f.ask("GET", "/api/config", "").Header().Get("ETag")
	f.runs.launching = func() {
		f.ask("PATCH", "/api/config", `{"config":{"MATOMO_URL":"`+address+`","STOP_AFTER_VISITS":7}}`)
	}
	got := f.ask("POST", "/api/config/apply", `{"config":{"MATOMO_URL":"`+address+`","STOP_AFTER_VISITS":5}}`,
		"If-Match", tag)
	if got.Code != http.StatusOK || holds(got.object(t)["warnings"], "is saved") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if v := value(t, f.saved(t), "config.STOP_AFTER_VISITS"); v != 7. {
		t.Errorf("saved %v", v)
	}
}
