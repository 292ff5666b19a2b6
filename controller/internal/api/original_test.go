package api_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

// value is the value at a path of an answer, which must have it.
func value(t *testing.T, answer any, path string) any {
	t.Helper()
	v, found := at(answer, path)
	if !found {
		t.Errorf("no %s in %v", path, answer)
	}
	return v
}

// equal compares decoded values.
func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

func TestTheStatesHaveTheOriginalsNames(t *testing.T) {
	t.Parallel()
	for state, want := range map[launcher.State]string{
		launcher.Exited: "stopped", launcher.Missing: "not_found", launcher.Running: "running",
		launcher.Created:     "created",
		launcher.Unavailable: "unavailable",
	} {
		f := newFixture(t)
		f.runs.status = run.Status{Runtime: "docker", Loadgen: launcher.Status{State: state}}
		f.runs.result.Status = f.runs.status
		if got := value(t, f.ask("GET", "/api/status", "").object(t), "container.state"); got != want {
			t.Errorf("%s: status says %v, want %s", state, got, want)
		}
		if got := f.ask("GET", "/api/logs", "").object(t)["container_state"]; got != want {
			t.Errorf("%s: the log says %v, want %s", state, got, want)
		}
		if got := f.ask("POST", "/api/stop", "").object(t)["state"]; got != want {
			t.Errorf("%s: a stop says %v, want %s", state, got, want)
		}
	}
}

func TestTheUptimeIsWrittenAsTheOriginalDid(t *testing.T) {
	t.Parallel()
	for length, want := range map[time.Duration]string{
		59 * time.Second: "59s", 61 * time.Second: "1m", 26*time.Hour + 4*time.Minute: "1d 2h 4m", 3 * time.Hour: "3h",
	} {
		f := newFixture(t)
		f.runs.status = run.Status{Runtime: "docker", Loadgen: launcher.Status{State: launcher.Running},
			Since: time.Now().Add(-length)}
		status := f.ask("GET", "/api/status", "").object(t)
		if got := value(t, status, "container.uptime"); got != want {
			t.Errorf("%s is written %v, want %s", length, got, want)
		}
		if got, _ := value(t, status, "container.uptime_seconds").(float64); got < length.Seconds() {
			t.Errorf("%s is %v seconds", length, got)
		}
	}
}

func TestTheWholeListIsAnsweredToWhoAsksForNoPart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const list = "https://a.test/one/x\tOne\nhttps://a.test/two/y\tTwo\n"
	saved := f.ask("POST", "/api/urls",
		`{"content":"https://a.test/one/x\tOne\nhttps://a.test/two/y\tTwo\n"}`).object(t)
	if n := value(t, saved, "structure.total"); n != 2. {
		t.Errorf("saving tells a structure of %v pages", n)
	}
	whole := f.ask("GET", "/api/urls", "").object(t)
	if whole["content"] != list || value(t, whole, "structure.total") != 2. {
		t.Errorf("got %v", whole)
	}
	for _, part := range []string{"?limit=0", "?skip=1", "?limit=1"} {
		got := f.ask("GET", "/api/urls"+part, "").object(t)
		if _, there := got["content"]; there || got["structure"] != nil {
			t.Errorf("%s answers the whole list: %v", part, got)
		}
	}
}

func TestAPresetIsSavedAndLoadedWithTargets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const targets = `{"mode":"multi","distribution_strategy":"random","targets":[{"name":"a","url":"https://a.test","site_id":1,"weight":1,"enabled":true%s}]}`
	saved := f.ask("POST", "/api/presets", `{"name":"Servers","config":{"MATOMO_URL":"https://m.test"},"targets":`+
		fmt.Sprintf(targets, "")+`}`).object(t)
	if left, _ := saved["left_out"].([]any); len(left) != 1 || left[0] != "MATOMO_URL" ||
		!strings.Contains(fmt.Sprint(saved["targets"]), "mode:multi") {
		t.Errorf("saved: %v", saved)
	}
	loaded := f.ask("POST", "/api/presets/1/load", "").object(t)
	if text := fmt.Sprint(loaded["warnings"]); !strings.Contains(text, "has no token saved for its address") {
		t.Errorf("loaded: %v", text)
	}
	if got := f.ask("GET", "/api/targets", "").object(t); got["mode"] != "multi" {
		t.Errorf("targets: %v", got)
	}
	withToken := f.ask("PUT", "/api/presets/1", `{"targets":`+fmt.Sprintf(targets, `,"token_auth":"`+token+`"`)+`}`)
	if got := withToken.object(t); got["status"] != 422. || strings.Contains(fmt.Sprint(got), token) {
		t.Errorf("a token in a preset: %v", got)
	}
	if got := f.ask("PUT", "/api/presets/1",
		`{"targets":null}`).object(t); !strings.Contains(fmt.Sprint(got["targets"]), "mode:multi") {
		t.Errorf("null leaves them: %v", got)
	}
}

func TestAConnectionThatWorksIsASuccess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	got := f.ask("POST", "/api/test-connection", `{"matomo_url":"http://127.0.0.1:1/matomo.php","site_id":1}`).object(t)
	if got["success"] != true || got["status_code"] != 204. {
		t.Errorf("got %v", got)
	}
}

func TestTheDetailOfARefusalBeginsWithTheFirstReason(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for body, want := range map[string]string{
		`{"config":{"PAGEVIEWS_MIN":0}}`: "PAGEVIEWS_MIN: is below 1; use at least 1",
		`{"config":{"PAGEVIEWS_MIN":0,"CONCURRENCY":0}}`: "CONCURRENCY: is below 1; use at least " +
			"1 (and 1 more)",
		`{"config":{"MATOMO_TOKEN_AUTH":"` + token + `"},"x":1}`: "body.x: unexpected property",
	} {
		if got := f.ask("PUT", "/api/config", body).object(t)["detail"]; got != want {
			t.Errorf("%s\ngot  %v\nwant %s", body, got, want)
		}
	}
	f.runs.err = &run.StartError{Messages: []string{"PAGEVIEWS_MIN: is below 1", "more"}, ExitCode: 2}
	if got := f.ask("POST", "/api/start", "").object(t)["detail"]; got != "the loadgen ended with exit code 2: "+
		"PAGEVIEWS_MIN: is below 1" {
		t.Errorf("got %v", got)
	}
}

func TestWhatIsAskedOfBackfillsSaysHowItWent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"http://127.0.0.1:1/matomo.php","MATOMO_TOKEN_AUTH":"`+
		token+`"}}`)
	if got := f.ask("GET", "/api/backfill/last", "").object(t); got["success"] != true ||
		got["message"] != "no backfill was requested yet" || value(t, got, "payload") == nil {
		t.Errorf("got %v", got)
	}
	id, _ := f.ask("POST", "/api/backfill/run",
		`{"DAYS_BACK":"2","DURATION_DAYS":"1","RUN_ONCE":true}`).object(t)["run_id"].(string)
	for _, c := range []struct{ method, path, message string }{
		{"GET", "/api/backfill/status", "1 job"}, {"GET", "/api/backfill/last", "backfill " + id},
		{"POST", "/api/backfill/cleanup", "0 jobs removed"},
	} {
		if got := f.ask(c.method, c.path, "").object(t); got["success"] != true || got["message"] != c.message {
			t.Errorf("%s: got %v", c.path, got)
		}
	}
}

func TestAResetOfTheEventsSaysWhichSettingsStay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if got := f.ask("DELETE", "/api/events", "").object(t)["message"]; got != "the built-in events are in use" {
		t.Errorf("got %v", got)
	}
	f.ask(
		"POST",
		"/api/events",
		`{"content":"{\"click_events_probability\":0.4,\"click_events\":[{\"category\":\"c\",\"action\":\"a\",\"name\":\"n\"}]}"}`,
	)
	if got := f.ask("DELETE", "/api/events", "").object(t)["message"]; got != "the built-in events are in use; "+
		"CLICK_EVENTS_PROBABILITY=0.4 remains saved; reset it with null in PATCH /api/config" {
		t.Errorf("got %v", got)
	}
	f.ask("PATCH", "/api/config", `{"config":{"CLICK_EVENTS_PROBABILITY":null}}`)
	if got := value(t, f.ask("GET", "/api/events", "").object(t), "config.click_events_probability"); got != .25 {
		t.Errorf("the share is %v", got)
	}
}
