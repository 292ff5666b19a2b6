package api_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

// takesNull tells whether the document lets a value of x be null.
func (s sampler) takesNull(x schema) bool {
	kinds, _ := x.Type.([]any)
	null := func(o schema) bool { return o.Type == "null" }
	return slices.Contains(kinds, any("null")) || slices.ContainsFunc(x.OneOf, null) || x.Type == nil && x.Ref == "" &&
		x.OneOf == nil
}

func TestNullIsTakenOnlyWhereTheDocumentSaysSo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runs.result = run.Result{Status: run.Status{Loadgen: launcher.Status{State: launcher.Running}}}
	f.hub.Close() // a stream would not end
	c := newContract(t, f)
	s := sampler{rand.New(rand.NewPCG(1, 2)), c.Components.Schemas, 0}
	asked := 0
	c.each(func(method, path string, o operation) {
		if o.RequestBody == nil {
			return
		}
		body := s.resolve(o.RequestBody.Content["application/json"].Schema)
		for _, key := range slices.Sorted(maps.Keys(body.Properties)) {
			whole, ok := s.value(body, "").(map[string]any)
			if !ok || s.takesNull(body.Properties[key]) {
				continue
			}
			whole[key] = nil
			data, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			asked++
			if got := f.ask(method, strings.NewReplacer("{id}", "1").Replace(path), string(data)); got.Code < 300 {
				t.Errorf("%s %s takes null for %s, which the document does not say: %s", method, path, key, data)
			}
		}
	})
	if asked < 5 {
		t.Errorf("only %d were tried", asked)
	}
}
