package api_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// document is as much of OpenAPI as the tests need.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID string
	Parameters  []parameter
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema schema }
	}
	Responses map[string]any
	Security  []map[string][]string
}

type parameter struct {
	Name, In string
	Required bool
	Schema   schema
}

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
				if !slices.ContainsFunc(o.Parameters, func(p parameter) bool {
					return p.In == "path" && p.Name == place[1]
				}) {
					t.Errorf("%s %s does not read its %s", method, path, place[1])
				}
			}
			if len(o.Responses) < 2 {
				t.Errorf("%s %s tells no failure", method, path)
			}
		}
	}
	parsed, err := libopenapi.NewDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	whole, errs := validator.NewValidator(parsed)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if _, faults := whole.ValidateDocument(); len(faults) > 0 {
		t.Errorf("it is no valid OpenAPI 3.1: %v", faults)
	}
	if strings.Contains(text, apiKey) || strings.Contains(text, token) {
		t.Error("it holds a secret")
	}
}

func TestEveryRouteOfTheOriginalIsThere(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t, newFixture(t))
	for _, route := range strings.Fields(
		`get:/health get:/api/status post:/api/start post:/api/stop post:/api/restart get:/api/logs
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
