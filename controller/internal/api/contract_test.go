package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/runtime"
)

// document is as much of OpenAPI as the fuzz run needs.
type document struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Parameters  []parameter
		RequestBody *struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
		Responses map[string]any
		Security  []map[string][]string
	}
	Components struct{ Schemas map[string]json.RawMessage }
}

type parameter struct{ Name, In string }

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func readDocument(t *testing.T, f *fixture) (document, string) {
	t.Helper()
	got := f.ask("GET", "/openapi.json", "")
	var d document
	if err := json.Unmarshal(got.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d, got.Body.String()
}

func TestTheDocumentIsWhole(t *testing.T) {
	t.Parallel()
	d, text := readDocument(t, newFixture(t))
	if d.OpenAPI != "3.1.0" || len(d.Paths) < 40 {
		t.Fatalf("%s with %d paths", d.OpenAPI, len(d.Paths))
	}
	ids := map[string]bool{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			if o.OperationID == "" || ids[o.OperationID] {
				t.Errorf("%s %s: its id %q is empty or there twice", method, path, o.OperationID)
			}
			ids[o.OperationID] = true
			if open := len(o.Security) == 0; open && strings.HasPrefix(path, "/api/") && path != "/api/session" {
				t.Errorf("%s %s is said to be open", method, path)
			}
			for _, place := range placeholder.FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(o.Parameters, func(p parameter) bool { return p.In == "path" && p.Name == place[1] }) {
					t.Errorf("%s %s does not read its %s", method, path, place[1])
				}
			}
			if len(o.Responses) < 2 {
				t.Errorf("%s %s tells no failure", method, path)
			}
		}
	}
	const ref = `"$ref":"#/components/schemas/`
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, ref)
		if !ok {
			break
		}
		name, _, _ := strings.Cut(after, `"`)
		if _, there := d.Components.Schemas[name]; !there {
			t.Errorf("schema %s is named and not there", name)
		}
		rest = after
	}
}

func TestEveryRouteOfTheOriginalIsThere(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t, newFixture(t))
	for _, route := range strings.Fields(`get:/health get:/api/status post:/api/start post:/api/stop post:/api/restart get:/api/logs
		post:/api/validate post:/api/test-connection post:/api/config/apply get:/api/presets post:/api/presets get:/api/presets/{id}
		put:/api/presets/{id} delete:/api/presets/{id} get:/api/funnels post:/api/funnels get:/api/funnels/{id} put:/api/funnels/{id}
		delete:/api/funnels/{id} get:/api/urls post:/api/urls post:/api/urls/validate delete:/api/urls get:/api/events post:/api/events
		post:/api/events/validate delete:/api/events post:/api/backfill/run get:/api/backfill/status post:/api/backfill/cleanup
		get:/api/backfill/last post:/api/backfill/cancel`) {
		method, path, _ := strings.Cut(route, ":")
		if _, there := d.Paths[path][method]; !there {
			t.Error(route)
		}
	}
}

// hostile are values that break what is not careful.
var hostile = []string{
	"", "0", "-1", "1", "2", "9999999999999999999999", "NaN", "1e309", "null", "true", "[]", "{}", `"`, "'; DROP TABLE presets;--",
	"\x00", "../../etc/passwd", strings.Repeat("A", 5000), "<script>alert(1)</script>", "%s%n", "😀", "\xff\xfe", "2026-01-01T00:00:00Z", token,
}

var bodies = []string{
	"", "null", "[]", "{}", "0", `"x"`, "{", `{"config":null}`, `{"config":[]}`, `{"config":{}}`, `{"config":{"PAGEVIEWS_MIN":{"a":1}}}`,
	`{"content":""}`, `{"content":"https://shop.example.test/a\n"}`, `{"content":"{}"}`, `{"content":"[[[["}`, `{"content":null}`,
	`{"name":"n"}`, `{"name":"","config":{}}`, `{"name":"x","config":{"CONCURRENCY":5}}`, `{"name":"\u0000","config":{}}`,
	`{"name":"f","probability":0.5,"steps":[{"type":"pageview","url":"https://shop.example.test/"}]}`, `{"name":"f","config":{"steps":[null]}}`,
	`{"name":"t","url":"https://m.example.test/matomo.php","site_id":1,"token_auth":"` + token + `"}`, `{"name":1,"url":[],"token_auth":{"a":"` + token + `"}}`,
	`{"config":{"MATOMO_TOKEN_AUTH":"` + token + `","MATOMO_URL":"http://127.0.0.1:1/matomo.php"}}`, `{"config":{"MATOMO_TOKEN_AUTH":["` + token + `"]}}`,
	`{"mode":"multi"}`, `{"mode":"single","distribution_strategy":"weighted"}`, `{"resolution":"import","files":["loadgen.env"]}`, `{"resolution":"overwrite"}`,
	`{"matomo_url":"http://127.0.0.1:1/matomo.php","token_auth":"` + token + `"}`, `{"api_key":"x","code":"y"}`, `{"a":` + strings.Repeat(`[`, 2000) + strings.Repeat(`]`, 2000) + `}`,
	`{"name":"` + strings.Repeat("é", 200) + `"}`, strings.Repeat(" ", 2<<20),
}

func TestHostileInputFindsNo500AndNoSecret(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runs.result = run.Result{Status: run.Status{Loadgen: runtime.Status{State: runtime.Running}}}
	d, _ := readDocument(t, f)
	rng := rand.New(rand.NewPCG(1, 2))
	paths := make([]string, 0, len(d.Paths))
	for path := range d.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	f.hub.Close() // a stream would not end
	seen := map[int]int{}
	for range 20 {
		for _, path := range paths {
			for method, o := range d.Paths[path] {
				target, query, headers := path, url.Values{}, []string{}
				for _, p := range o.Parameters {
					switch v := hostile[rng.IntN(len(hostile))]; p.In {
					case "path":
						target = strings.ReplaceAll(target, "{"+p.Name+"}", url.PathEscape(v))
					case "query":
						query.Set(p.Name, v)
					case "header":
						headers = append(headers, p.Name, v)
					}
				}
				body := ""
				if o.RequestBody != nil {
					body = bodies[rng.IntN(len(bodies))]
				}
				got := f.ask(strings.ToUpper(method), target+"?"+query.Encode(), body, headers...)
				seen[got.Code]++
				what := fmt.Sprintf("%s %.200s with %.200q", method, target, body)
				if got.Code == 500 {
					t.Errorf("%s: %s", what, got.Body)
				}
				if strings.Contains(got.Body.String(), apiKey) || strings.Contains(got.Body.String(), token) && !strings.Contains(target+query.Encode(), token) {
					t.Errorf("%s: %d holds a secret: %.300s", what, got.Code, got.Body)
				}
			}
		}
	}
	if seen[200] < 100 || seen[422] < 100 {
		t.Errorf("the run tried too little: %v", seen)
	}
	for name, text := range map[string]string{"the log": f.log.String(), "the database": read(t, f.db), "its log": read(t, f.db+"-wal")} {
		if strings.Contains(text, token) || strings.Contains(text, apiKey) {
			t.Errorf("%s holds a secret", name)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}
