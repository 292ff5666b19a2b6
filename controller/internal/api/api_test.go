package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
)

// quick is the shape of a test of many requests: each row one request and what must come of it. has is a text that some
// value of the answer holds, or is.
type quick struct {
	name, method, path, body string
	headers                  []string
	status                   int
	has                      any
}

// is are values of an answer by their paths: keys and numbers in lists, with dots between them.
type is map[string]any

// check holds an answer against what a row wants.
func (c quick) check(got reply) (wrong string) {
	var answer any
	if json.Unmarshal(got.Body.Bytes(), &answer) != nil {
		answer = got.Body.String() // a page, a file
	}
	switch want := c.has.(type) {
	case string:
		if !holds(answer, want) {
			wrong = fmt.Sprintf("no value holds %q", want)
		}
	case is:
		for path, v := range want {
			if is, found := at(answer, path); !found || !reflect.DeepEqual(is, v) {
				wrong += fmt.Sprintf("%s is %v, want %v; ", path, is, v)
			}
		}
	}
	return wrong
}

// holds tells whether a text is part of a text of an answer.
func holds(answer any, text string) bool {
	switch v := answer.(type) {
	case string:
		return strings.Contains(v, text)
	case map[string]any:
		for _, e := range v {
			if holds(e, text) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return holds(e, text) })
	}
	return text == ""
}

// at is the value at a path of an answer.
func at(answer any, path string) (v any, found bool) {
	for key := range strings.SplitSeq(path, ".") {
		switch v := answer.(type) {
		case map[string]any:
			answer, found = v[key]
		case []any:
			n, err := strconv.Atoi(key)
			if found = err == nil && n < len(v); found {
				answer = v[n]
			}
		default:
			found = false
		}
		if !found {
			return nil, false
		}
	}
	return answer, true
}

func (f *fixture) each(t *testing.T, rows []quick) {
	t.Helper()
	for _, c := range rows {
		got := f.ask(c.method, c.path, c.body, c.headers...)
		if wrong := c.check(got); got.Code != c.status || wrong != "" {
			t.Errorf("%s: %d %s, want %d: %s", c.name, got.Code, got.Body, c.status, wrong)
		}
		if kind := got.Header().Get("Content-Type"); got.Code >= 400 && kind != "application/problem+json" {
			t.Errorf("%s: a failure of type %q", c.name, kind)
		}
	}
}

func TestTheEdgesOfTheInterface(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.each(t, []quick{
		{"no key", "GET", "/api/status", "", []string{"X-API-Key", ""}, 403, "wrong"},
		{"health needs none", "GET", "/health", "", []string{"X-API-Key", ""}, 200, "healthy"},
		{"a path that is none", "GET", "/api/nothing", "", nil, 404, "no resource at this path"},
		{"a method that is none", "PATCH", "/api/status", "", nil, 405, "method"},
		{"no JSON", "PUT", "/api/config", "{", nil, 400, ""},
		{"another type of content", "PUT", "/api/config", "a=b", []string{"Content-Type", "text/plain"}, 415, ""},
		{"no body", "PUT", "/api/config", "", nil, 400, "body"},
		{"an unknown field", "PUT", "/api/config", `{"config":{},"extra":1}`, nil, 422, "body.extra"},
		{"too large", "PUT", "/api/config", `{"config":{"X":"` + strings.Repeat("x", 1<<20) + `"}}`, nil, 413, ""},
		{"a number that is none", "GET", "/api/presets/abc", "", nil, 422, "path.id"},
		{"documentation", "GET", "/docs", "", nil, 200, "docs.js"},
		{"its script", "GET", "/docs/docs.js", "", nil, 200, "openapi.json"},
		{"the document", "GET", "/openapi.json", "", nil, 200, is{"openapi": "3.1.0"}},
	})
}

func TestAConfigurationIsSavedAndItsSecretsNeverComeBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.ask("GET", "/api/config", "")
	tag := first.Header().Get("ETag")
	good := `{"config":{"MATOMO_URL":"http://127.0.0.1:1/matomo.php","MATOMO_TOKEN_AUTH":"` + token +
		`","PAGEVIEWS_MIN":4}}`
	f.each(t, []quick{
		{"the first editor saves", "PUT", "/api/config", good, []string{"If-Match", tag}, 200,
			is{"config.PAGEVIEWS_MIN": 4.}},
		{"the second one is told", "PUT", "/api/config", good, []string{"If-Match", tag}, 412, "has changed since"},
		{"a tag of something else", "PUT", "/api/config", good, []string{"If-Match", `"x"`}, 412, "ETag"},
		{"all faults at once, the first", "PUT", "/api/config", `{"config":{"PAGEVIEWS_MIN":0,"CONCURRENCY":"many"}}`,
			nil, 422, is{"errors.1.location": "PAGEVIEWS_MIN"}},
		{"all faults at once, the second", "PUT", "/api/config", `{"config":{"PAGEVIEWS_MIN":0,"CONCURRENCY":"many"}}`,
			nil, 422, is{"errors.0.location": "CONCURRENCY"}},
		{"a typing error", "PUT", "/api/config", `{"config":{"PAGEVIEW_MIN":3}}`, nil, 422,
			"did you mean PAGEVIEWS_MIN"},
		{"validation saves nothing", "POST", "/api/validate", `{"config":{"PAGEVIEWS_MIN":9}}`, nil, 200,
			is{"errors.0.field": "PAGEVIEWS_MIN"}},
		{"the mask keeps the token", "PUT", "/api/config",
			`{"config":{"MATOMO_TOKEN_AUTH":"***MASKED***","PAGEVIEWS_MIN":5}}`, nil, 200, "***MASKED***"},
		{"what was left out has its default", "GET", "/api/config", "", nil, 200, is{"config.PAGEVIEWS_MAX": 6.}},
		{"an empty token is none", "PUT", "/api/config", `{"config":{"MATOMO_TOKEN_AUTH":""}}`, nil, 200,
			is{"config.MATOMO_TOKEN_AUTH": ""}},
		{"a token of a wrong type is not repeated", "PUT", "/api/config", `{"config":"` + token + `"}`, nil, 422,
			"body.config"},
		{"the form has all bounds", "GET", "/api/config/schema", "", nil, 200, is{"fields.23.key": "PAGEVIEWS_MIN"}},
		{"and those of a backfill", "GET", "/api/config/schema", "", nil, 200, is{"backfill.8.key": "BACKFILL_SHARDS"}},
	})
	if strings.Contains(f.log.String(), token) {
		t.Error("the token is logged")
	}
}

func TestAPreviewNeedsNothingSavedAndTellsAllFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	page := `{"steps":[{"type":"pageview","url":"https://shop.example.test/"}]}`
	f.each(t, []quick{
		{"without a body", "POST", "/api/preview", "", nil, 200, is{"visits.0.hits.0.kind": "pageview"}},
		{"with settings and a draft", "POST", "/api/preview",
			`{"config":{"PAGEVIEWS_MIN":2,"ECOMMERCE_SHIPPING_RATES":[0,5]},"funnel":` + page + `,"visits":20}`, nil,
			200, is{"seed": 7.}},
		{"a draft under config", "POST", "/api/preview", `{"funnel":{"name":"x","config":` + page + `}}`, nil, 200, ""},
		{"a bad setting", "POST", "/api/preview", `{"config":{"PAGEVIEWS_MIN":0},"funnel":{"steps":[]}}`, nil, 422,
			is{"errors.0.location": "PAGEVIEWS_MIN"}},
		{"and a bad draft", "POST", "/api/preview", `{"config":{"PAGEVIEWS_MIN":0},"funnel":{"steps":[]}}`, nil, 422,
			is{"errors.1.location": "funnel.steps"}},
		{"an estimate", "POST", "/api/estimate", "", nil, 200, is{"hits_per_visit": 6.25}},
		{"an estimate of a bad setting", "POST", "/api/estimate", `{"config":{"PAGEVIEWS_MIN":0}}`, nil, 422,
			"PAGEVIEWS_MIN"},
		{"too many", "POST", "/api/preview", `{"visits":21}`, nil, 422, "body.visits"},
		{"nothing was saved", "GET", "/api/funnels", "", nil, 200, is{"funnels": []any{}}},
		{"and a question is no change", "GET", "/api/audit", "", nil, 200, is{"entries": []any{}}},
	})
}

func TestNoAnswerHoldsAToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"http://127.0.0.1:1/matomo.php","MATOMO_TOKEN_AUTH":"`+
		token+`"}}`)
	for _, path := range []string{"/api/config", "/api/status", "/api/audit", "/api/backup", "/api/runs",
		"/api/targets"} {
		got := f.ask("GET", path, "")
		if got.Code != http.StatusOK || strings.Contains(got.Body.String(), token) ||
			strings.Contains(got.Body.String(), apiKey) {
			t.Errorf("%s: %d, or a secret", path, got.Code)
		}
	}
	got := f.ask("PUT", "/api/config", `{"config":"`+token+`"}`)
	if strings.Contains(got.Body.String(), token) {
		t.Errorf("a fault repeats what may be a token: %s", got.Body)
	}
}

func TestStartStopAndRestartSayWhatCameOfThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runs.result = run.Result{
		Restarted:    true,
		Message:      "run x started",
		VisitsCutOff: 3,
		Status: run.Status{
			Loadgen: launcher.Status{State: launcher.Running},
			Run:     &record.Run{Head: record.Head{ID: "x"}},
		},
	}
	f.runs.result.Warnings.Warn("loadgen.env", "", "is a folder", "")
	f.each(t, []quick{
		{"start without a body", "POST", "/api/start", "", nil, 200, is{"run_id": "x"}},
		{"start with a configuration", "POST", "/api/start",
			`{"config":{"CONCURRENCY":7,"TIMELINE":"live"},"restart_if_running":true}`, nil, 200, "started"},
		{"start with nonsense", "POST", "/api/start", `{"config":7}`, nil, 422, "body.config"},
		{"stop", "POST", "/api/stop", "", nil, 200, is{"state": "running"}},
		{"stop with patience", "POST", "/api/stop?timeout=90", "", nil, 200, ""},
		{"stop with none", "POST", "/api/stop?timeout=0", "", nil, 422, "timeout"},
		{"stop with an empty object", "POST", "/api/stop", "{}", nil, 200, ""},
		{"finish", "POST", "/api/stop?timeout=5", `{"mode":"finish"}`, nil, 200, ""},
		{"stop now", "POST", "/api/stop", `{"mode":"now"}`, nil, 200,
			is{"cut_visits": 3., "warnings.0.where": "loadgen.env"}},
		{"stop in no known way", "POST", "/api/stop", `{"mode":"later"}`, nil, 422, "mode"},
		{"restart", "POST", "/api/restart", "", nil, 200, ""},
		{"restart with patience", "POST", "/api/restart?timeout=5", "", nil, 200, ""},
		{"heal", "POST", "/api/heal", "", nil, 200, ""},
		{"apply", "POST", "/api/config/apply", "", nil, 200, is{"container_restarted": true}},
	})
	if got, want := strings.Join(f.runs.asked, ", "),
		"start, start, finish 0s, finish 1m30s, finish 0s, finish 5s, stop now 0s, restart 1m0s, restart 5s, heal, "+
			"apply 1m0s"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	if q := f.runs.start; !q.RestartIfRunning || q.Overrides["CONCURRENCY"] != 7. || q.Overrides["TIMELINE"] != "live" {
		t.Errorf("%+v", q)
	}
}

func TestEachFailureOfARunHasItsStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		has    string
	}{
		{&run.BusyError{Operation: run.Operation{Name: "stop", Since: time.Now()}}, 409, "stop has been in progress"},
		{errors.Join(&run.StartError{Messages: []string{"PAGEVIEWS_MIN: is below 1"}, ExitCode: 2, RolledBack: true}), 409,
			"PAGEVIEWS_MIN: is below 1"},
		{launcher.ErrUnavailable, 503, "engine"},
		{&run.DeferredError{Paused: true}, 503, "paused; the run is stopped when the engine answers"},
		{run.ErrStopped, 409, "a stop was requested"},
		{launcher.ErrForeign, 409, "not ours"},
		{context.Canceled, 503, "cancelled"},
		{fmt.Errorf("stop: %w", context.DeadlineExceeded), 504, "timed out"},
		{errors.New("inner words"), 500, "log"},
	} {
		f := newFixture(t)
		f.runs.err = c.err
		got := f.ask("POST", "/api/config/apply", "")
		if got.Code != c.status || !strings.Contains(got.Body.String(), c.has) ||
			strings.Contains(got.Body.String(), "inner words") {
			t.Errorf("%v: %d %s", c.err, got.Code, got.Body)
		}
		if logged := strings.Contains(f.log.String(), "request failed"); logged != (c.status == 500) {
			t.Errorf("%v: in the log: %v", c.err, logged)
		}
	}
}

func TestLogsAreFilteredBeforeTheLastAreTaken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 100 {
		text := "noise"
		if i < 30 {
			text = "a Needle in it"
		}
		f.lines = append(f.lines, launcher.Line{Time: time.Unix(int64(i), 0).UTC(), Text: text})
	}
	if got := f.ask("GET", "/api/logs?lines=20&filter=needle", "").object(t); got["lines_returned"] != 20. ||
		!strings.Contains(got["logs"].(string), "1970-01-01T00:00:29Z a Needle") {
		t.Errorf("%v", got)
	}
	if got := f.ask("GET", "/api/logs", "").object(t); got["lines_returned"] != 100. {
		t.Errorf("%v lines", got["lines_returned"])
	}
	if got := f.ask("GET", "/api/logs?filter=needle&filter=A%20n", "").object(t); got["lines_returned"] != 30. {
		t.Errorf("%v lines have both texts", got["lines_returned"])
	}
	f.each(t, []quick{{"a comma is text", "GET", "/api/logs?filter=a,needle", "", nil, 200, is{"lines_returned": 0.}}})
	f.each(t, []quick{{"no line has both", "GET", "/api/logs?filter=needle&filter=noise", "", nil, 200,
		is{"lines_returned": 0.}}})
	f.each(t, []quick{{"too long a text", "GET", "/api/logs?filter=a&filter=" + strings.Repeat("x", 201), "", nil, 422,
		"filter"}})
	f.each(t, []quick{{"too few", "GET", "/api/logs?lines=1", "", nil, 422, "lines"},
		{"an invented level", "GET", "/api/logs?level=LOUD", "", nil, 422, "level"}})
}

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	anonymous := []string{"X-API-Key", ""}
	code, _ := f.ask("POST", "/api/session/codes", "").object(t)["code"].(string)
	got := f.ask("POST", "/api/session", `{"code":"`+code+`"}`, anonymous...)
	cookies := got.Result().Cookies()
	if got.Code != 200 || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("%d %v", got.Code, cookies)
	}
	f.each(t, []quick{
		{"the code again", "POST", "/api/session", `{"code":"` + code + `"}`, anonymous, 403, is{"code": "code_used"}},
		{"the key", "POST", "/api/session", `{"api_key":"` + apiKey + `"}`, anonymous, 200, ""},
		{"a wrong key", "POST", "/api/session", `{"api_key":"x"}`, anonymous, 403, is{"code": "wrong_key"}},
		{"from another site", "POST", "/api/session", `{"api_key":"` + apiKey + `"}`,
			[]string{"Origin", "http://evil.example.test"}, 403, is{"code": "wrong_origin"}},
		{"sign out", "DELETE", "/api/session", "", nil, 204, ""},
	})
}

func TestASharedFileThatCannotBeReadCanBeLookedAtAndSettled(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.each(t, []quick{{"something is published", "PUT", "/api/config",
		`{"config":{"MATOMO_URL":"http://127.0.0.1:1/matomo.php"}}`, nil, 200, ""}})
	if _, err := f.setup.Start(t.Context(), nil, plan.Identity{ID: "x", Seed: 1}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"loadgen.env", "urls.txt", "funnels.json", "events.json", "targets.json"} {
		if err := os.WriteFile(filepath.Join(f.exchange, file), []byte("A=1\nA=2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.each(t, []quick{
		{"the configuration", "GET", "/api/config", "", nil, 200, "is set twice"},
		{"what is edited", "GET", "/api/exchange", "", nil, 200,
			is{"edited_files": []any{"loadgen.env", "urls.txt", "funnels.json", "events.json", "targets.json"}}},
		{"a save", "PUT", "/api/config", `{"config":{}}`, nil, 409, "import or overwrite"},
		{"a save of two of them", "PUT", "/api/targets/routing", `{"mode":"single"}`, nil, 409,
			"targets.json, loadgen.env were edited by hand"},
		{"an import", "POST", "/api/exchange/resolve", `{"resolution":"import","files":["loadgen.env"]}`, nil, 422,
			"loadgen.env line 2"},
		{"an import of pages", "POST", "/api/exchange/resolve", `{"resolution":"import","files":["urls.txt"]}`, nil,
			422, "urls.txt line"},
		{"an import of events", "POST", "/api/exchange/resolve", `{"resolution":"import","files":["events.json"]}`, nil,
			422, "is not valid JSON"},
		{"an overwrite", "POST", "/api/exchange/resolve", `{"resolution":"overwrite"}`, nil, 200,
			is{"edited_files": []any{}}},
		{"a save again", "PUT", "/api/config", `{"config":{}}`, nil, 200, ""},
	})
}
