package endtoend

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// client calls the API as programs that were written for the original do: settings in lower case and as texts, an
// answer below 400 is read for its success, of any other the detail alone is shown.
type client struct {
	Product
	key string
}

// call sends body and gives the answer, or the detail of a refusal.
func (c client) call(t *testing.T, method, path string, body any) (answer map[string]any, refused string) {
	t.Helper()
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = strings.NewReader(string(data))
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.API+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set("X-API-Key", c.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.StatusCode >= 400 {
		detail, _ := answer["detail"].(string)
		return nil, detail
	}
	return answer, ""
}

// read is an answer that has all of these fields.
func (c client) read(t *testing.T, path string, fields ...string) map[string]any {
	t.Helper()
	return c.has(t, http.MethodGet, path, nil, fields...)
}

func (c client) has(t *testing.T, method, path string, body any, fields ...string) map[string]any {
	t.Helper()
	answer, refused := c.call(t, method, path, body)
	if refused != "" {
		t.Fatalf("%s %s is refused: %s", method, path, refused)
	}
	for _, f := range fields {
		if _, there := answer[f]; !there {
			t.Errorf("%s %s lacks %s: %v", method, path, f, answer)
		}
	}
	return answer
}

// do is has for what must succeed.
func (c client) do(t *testing.T, method, path string, body any, fields ...string) map[string]any {
	t.Helper()
	answer := c.has(t, method, path, body, append(fields, "success", "message")...)
	if answer["success"] != true {
		t.Errorf("%s %s does not succeed: %v", method, path, answer)
	}
	return answer
}

// part is an object inside an answer.
func part(t *testing.T, answer map[string]any, key string, fields ...string) map[string]any {
	t.Helper()
	out, ok := answer[key].(map[string]any)
	if !ok {
		t.Fatalf("%s is no object: %v", key, answer)
	}
	for _, f := range fields {
		if _, there := out[f]; !there {
			t.Errorf("%s lacks %s: %v", key, f, out)
		}
	}
	return out
}

// form is what the original's form sends: all of its fields as texts, those of a backfill too.
func (c client) form(changes map[string]any) map[string]any {
	values := map[string]any{
		"matomo_url": c.Tracker, "matomo_site_id": "1", "matomo_token_auth": Token, "target_visits_per_day": "864000",
		"concurrency":   "20",
		"pageviews_min": "3", "pageviews_max": "6", "pause_between_pvs_min": "0", "pause_between_pvs_max": "0.1",
		"visit_duration_min": "1.0",
		"visit_duration_max": "8.0", "timezone": "CET", "log_level": "INFO", "randomize_visitor_countries": "true",
		"auto_stop_after_hours": "0",
		"max_total_visits":      "0", "sitesearch_probability": "0.15", "outlinks_probability": "0.10",
		"downloads_probability":    "0.08",
		"click_events_probability": "0.25", "random_events_probability": "0.12", "direct_traffic_probability": "0.30",
		"ecommerce_probability": "0.05", "ecommerce_order_value_min": "15.99", "ecommerce_order_value_max": "299.99",
		"ecommerce_items_min": "1",
		"ecommerce_items_max": "5", "ecommerce_tax_rate": "0.10", "ecommerce_shipping_rates": "0,5.99,9.99,15.99",
		"ecommerce_currency":  "SEK",
		"backfill_start_date": "", "backfill_end_date": "", "backfill_days_back": "", "backfill_duration_days": nil,
		"backfill_seed": "",
	}
	maps.Copy(values, changes)
	return map[string]any{"config": values}
}

func TestAClientOfTheOriginalCompletesItsJourneys(t *testing.T) {
	t.Parallel()
	p, _ := product(t, testbed.Loadgen(t))
	c := client{p, Key}
	t.Run("stranger", c.stranger)
	t.Run("configuration", c.configuration)
	t.Run("files", c.files)
	t.Run("collections", c.collections)
	t.Run("life", c.life)
	t.Run("backfill", c.backfill)
	t.Run("targets", c.targets)
}

func (c client) stranger(t *testing.T) {
	nobody := client{Product: c.Product}
	if h := nobody.read(t, "/health", "service"); h["status"] != "healthy" {
		t.Errorf("got %v", h)
	}
	for _, key := range []string{"", "a-wrong-key-of-sixteen-letters"} {
		if _, refused := (client{c.Product, key}).call(t, http.MethodGet, "/api/status", nil); refused == "" {
			t.Errorf("the key %q is let in, or refused without a reason", key)
		}
	}
}

func (c client) configuration(t *testing.T) {
	if v := c.has(t, http.MethodPost, "/api/validate", c.form(nil), "errors", "warnings"); v["valid"] != true {
		t.Errorf("the form is refused: %v", v)
	}
	// The loadgen's own rules count, also those that need its catalogue.
	v := c.has(t, http.MethodPost, "/api/validate",
		c.form(map[string]any{"ecommerce_order_value_min": "0.01", "ecommerce_order_value_max": "0.02"}))
	if text, _ := json.Marshal(v["errors"]); v["valid"] != false ||
		!strings.Contains(string(text), "no order of 1 to 5 lines can be worth 0.01 to 0.02") {
		t.Errorf("orders that cannot be: %v", v)
	}
	if _, refused := c.call(t, http.MethodPost, "/api/config/apply",
		c.form(map[string]any{"pageviews_min": "0"})); !strings.HasPrefix(refused, "PAGEVIEWS_MIN: is below 1") {
		t.Errorf("a bad value is refused with %q", refused)
	}
	if a := c.do(t, http.MethodPost, "/api/config/apply", c.form(nil), "state"); a["container_restarted"] != false {
		t.Errorf("while nothing runs: %v", a)
	}
	test := c.do(t, http.MethodPost, "/api/test-connection",
		map[string]any{"matomo_url": c.Tracker, "site_id": 1, "token_auth": Token, "timeout": 10},
		"response_time_ms", "error")
	if test["reachable"] != true || test["status_code"] == nil {
		t.Errorf("got %v", test)
	}
	status := c.read(t, "/api/status", "container", "config", "stats")
	part(t, status, "container", "state", "name", "id", "uptime", "created", "started_at")
	if saved := part(t, status, "config"); saved["MATOMO_TOKEN_AUTH"] != "***MASKED***" {
		t.Errorf("the token is %v", saved["MATOMO_TOKEN_AUTH"])
	}
}

func (c client) files(t *testing.T) {
	const list = "https://shop.example.test/a/one\tOne\nhttps://shop.example.test/b/two\tTwo\n"
	content := map[string]any{"content": list}
	if v := c.has(t, http.MethodPost, "/api/urls/validate", content, "errors", "warnings",
		"structure"); v["valid"] != true || v["url_count"] != 2. {
		t.Errorf("got %v", v)
	}
	part(t, c.do(t, http.MethodPost, "/api/urls", content, "restart_required", "validation"), "structure", "total",
		"domains", "categories")
	got := c.read(t, "/api/urls", "source", "line_count", "editable")
	if got["content"] != list || part(t, got, "structure")["total"] != 2. ||
		part(t, got, "validation", "errors", "warnings")["url_count"] != 2. {
		t.Errorf("got %v", got)
	}
	c.do(t, http.MethodDelete, "/api/urls", nil, "restart_required")

	events := map[string]any{
		"content": `{"click_events":[{"category":"c","action":"a","name":"n"}],"random_events":[]}`,
	}
	if v := c.has(t, http.MethodPost, "/api/events/validate", events, "errors", "warnings",
		"stats"); v["valid"] != true {
		t.Errorf("got %v", v)
	}
	c.do(t, http.MethodPost, "/api/events", events)
	part(t, c.read(t, "/api/events", "source", "validation"), "config", "click_events", "random_events",
		"click_events_probability")
	c.do(t, http.MethodDelete, "/api/events", nil)
}

func (c client) collections(t *testing.T) {
	funnel := map[string]any{"name": "Way", "description": nil, "config": map[string]any{
		"probability": 0.2, "priority": 1, "enabled": true, "exit_after_completion": true,
		"steps": []any{map[string]any{"type": "pageview", "url": "https://shop.example.test/",
			"delay_seconds_min": nil}},
	}}
	preset := map[string]any{"name": "Mine", "description": "d",
		"config": map[string]any{"target_visits_per_day": "1000"}}
	for path, body := range map[string]map[string]any{"/api/funnels": funnel, "/api/presets": preset} {
		name := strings.TrimPrefix(path, "/api/")
		made := c.has(t, http.MethodPost, path, body, "id", "name", "description", "config", "created_at", "updated_at")
		id, _ := json.Marshal(made["id"])
		one := path + "/" + string(id)
		if list, _ := c.read(t, path)[name].([]any); len(list) != 1 {
			t.Errorf("%s: %v", path, list)
		}
		if _, refused := c.call(t, http.MethodPost, path, body); !strings.Contains(refused, "name is taken") {
			t.Errorf("%s: the same name again is refused with %q", path, refused)
		}
		part(t, c.read(t, one), "config")
		if changed := c.has(t, http.MethodPut, one,
			map[string]any{"description": "other"}); changed["description"] != "other" ||
			changed["name"] != body["name"] {
			t.Errorf("%s: %v", one, changed)
		}
		c.do(t, http.MethodDelete, one, nil, "deleted_id")
		if _, refused := c.call(t, http.MethodGet, one, nil); refused == "" {
			t.Errorf("%s is there after it was deleted", one)
		}
	}
}

func (c client) life(t *testing.T) {
	if a := c.do(t, http.MethodPost, "/api/start",
		map[string]any{"config": map[string]any{}, "restart_if_running": false}); a["state"] != "running" {
		t.Errorf("started: %v", a)
	}
	testbed.WaitFor(t, "the rates are measured in their old unit", func() bool {
		stats, _ := c.read(t, "/api/status")["stats"].(map[string]any)
		visits, _ := stats["current_rate"].(float64)
		hits, _ := stats["hit_rate"].(float64)
		return visits > 0 && hits > 2*visits && stats["visits_generated"].(float64) > 0 && stats["uptime"] != ""
	})
	if a := c.do(t, http.MethodPost, "/api/config/apply?timeout=5",
		c.form(map[string]any{"matomo_token_auth": "***MASKED***",
			"concurrency": "21"})); a["container_restarted"] != true {
		t.Errorf("applied: %v", a)
	}
	saved := part(t, c.read(t, "/api/status"), "config")
	if saved["MATOMO_TOKEN_AUTH"] != "***MASKED***" || saved["CONCURRENCY"] != 21. {
		t.Errorf("saved: %v", saved)
	}
	c.do(t, http.MethodPost, "/api/restart?timeout=5", nil)
	logs := c.read(t, "/api/logs?lines=100&filter=run", "logs", "lines_returned")
	if text, _ := logs["logs"].(string); text == "" || logs["container_state"] != "running" {
		t.Errorf("the log: %v", logs)
	}
	if a := c.do(t, http.MethodPost, "/api/stop?timeout=10", nil); a["state"] != "stopped" {
		t.Errorf("stopped: %v", a)
	}
	if state := part(t, c.read(t, "/api/status"), "container")["state"]; state != "stopped" {
		t.Errorf("the state is %v", state)
	}
	c.do(t, http.MethodPost, "/api/stop?timeout=10", nil) // a second one is fine
}

func (c client) backfill(t *testing.T) {
	ask := map[string]any{
		"BACKFILL_DAYS_BACK": "2", "BACKFILL_DURATION_DAYS": "1", "BACKFILL_MAX_VISITS_PER_DAY": 20,
		"BACKFILL_MAX_VISITS_TOTAL": 20, "BACKFILL_RUN_ONCE": true, "name": "past",
	}
	first := c.do(t, http.MethodPost, "/api/backfill/run", ask, "container_name", "container_id")
	var job map[string]any
	testbed.WaitFor(t, "the backfill has ended", func() bool {
		runs, _ := c.do(t, http.MethodGet, "/api/backfill/status", nil)["runs"].([]any)
		job, _ = runs[0].(map[string]any)
		return job["state"] == "exited"
	})
	if job["exit_code"] != 0. || job["error"] != nil || job["container_name"] != first["container_name"] ||
		job["started_at"] == nil || job["finished_at"] == nil {
		t.Errorf("ended: %v", job)
	}
	last := c.do(t, http.MethodGet, "/api/backfill/last", nil, "result", "timestamp")
	if payload := part(t, last, "payload"); payload["BACKFILL_DAYS_BACK"] != "2" {
		t.Errorf("asked: %v", payload)
	}
	maps.Copy(ask, map[string]any{"BACKFILL_DURATION_DAYS": "2", "BACKFILL_RPS_LIMIT": 0.01})
	slow := c.do(t, http.MethodPost, "/api/backfill/run", ask)
	c.do(t, http.MethodPost, "/api/backfill/cancel", map[string]any{"container_name": slow["container_name"]})
	if _, refused := c.call(t, http.MethodPost, "/api/backfill/cancel",
		map[string]any{"container_name": "nobody"}); refused == "" {
		t.Error("a job that is not there is cancelled")
	}
	testbed.WaitFor(t, "both have been removed", func() bool {
		c.do(t, http.MethodPost, "/api/backfill/cleanup", nil, "removed", "errors")
		runs, _ := c.do(t, http.MethodGet, "/api/backfill/status", nil)["runs"].([]any)
		return len(runs) == 0
	})
	if _, refused := c.call(t, http.MethodPost, "/api/backfill/run",
		map[string]any{"BACKFILL_START_DATE": "1999-13-99",
			"BACKFILL_END_DATE": "3000-01-01"}); !strings.HasPrefix(refused, "BACKFILL_START_DATE: is not a date") {
		t.Errorf("a bad window is refused with %q", refused)
	}
}

// targets has a check tell what the loadgen would warn of at one of several targets, which the original did not have.
func (c client) targets(t *testing.T) {
	for name, token := range map[string]string{"a": Token, "b": ""} {
		c.has(t, http.MethodPost, "/api/targets",
			map[string]any{"name": name, "url": c.Tracker, "site_id": 1, "token_auth": token})
	}
	c.has(t, http.MethodPut, "/api/targets/routing", map[string]any{"mode": "multi"})
	v := c.has(t, http.MethodPost, "/api/validate", map[string]any{"config": map[string]any{"STOP_AFTER_VISITS": 5}})
	if text, _ := json.Marshal(v["warnings"]); v["valid"] != true ||
		!strings.Contains(string(text), "has no token at target b") || strings.Contains(string(text), "at target a") {
		t.Errorf("got %v", v)
	}
	refused := c.has(t, http.MethodPost, "/api/validate", map[string]any{"config": map[string]any{"CONCURRENCY": 1}})
	if text, _ := json.Marshal(refused["errors"]); refused["valid"] != false ||
		!strings.Contains(string(text), "is below the number of enabled targets, 2") {
		t.Errorf("got %v", refused)
	}
}
