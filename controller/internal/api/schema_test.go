package api_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTheDocumentNamesEveryFieldThatIsAnswered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, text := readDocument(t, f)
	var d struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/status", "/api/config", "/api/targets", "/api/urls", "/api/events",
		"/api/presets", "/api/exchange", "/api/runs", "/api/logs"} {
		var answer map[string]any
		if err := json.Unmarshal(f.ask("GET", path, "").Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		ref := d.Paths[path]["get"].Responses["200"].Content["application/json"].Schema.Ref
		schema := d.Components.Schemas[ref[len("#/components/schemas/"):]]
		for field := range answer {
			if _, named := schema.Properties[field]; !named {
				t.Errorf("GET %s answers %q, which the document does not name", path, field)
			}
		}
	}
}

func TestListsWithoutAnythingAreEmptyAndNotNull(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, answer := range []string{
		f.ask("GET", "/api/config", "").Body.String(),
		f.ask("GET", "/api/urls", "").Body.String(),
		f.ask("GET", "/api/events", "").Body.String(),
		f.ask("POST", "/api/urls/validate", `{"content":"x"}`).Body.String(),
		f.ask("POST", "/api/events/validate", `{"content":"{\"click_events\":[],\"random_events\":[]}"}`).Body.String(),
	} {
		for _, list := range []string{"set", "errors", "warnings", "domains", "categories", "click_event_categories",
			"random_event_categories"} {
			if strings.Contains(answer, `"`+list+`":null`) {
				t.Errorf("%s is null in %.300s", list, answer)
			}
		}
	}
}
