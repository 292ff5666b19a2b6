package docstest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pb33f/jsonschema/v6"

	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/testbed"
)

func TestSummariesOfRunsAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	m, schema := machine(t), schema(t, false)
	out, err := m.run(t, `
MATOMO_URL=http://127.0.0.1:8080/matomo.php TARGET_VISITS_PER_DAY=5000000 PAUSE_BETWEEN_PVS_MIN=0 PAUSE_BETWEEN_PVS_MAX=0 \
  STOP_AFTER_VISITS=20 SUMMARY_FILE=live.json bin/loadgen
MATOMO_URL=http://127.0.0.1:8080/matomo.php MATOMO_TOKEN_AUTH=0123456789abcdef0123456789abcdef TARGET_VISITS_PER_DAY=20 \
  BACKFILL_ENABLED=true BACKFILL_DAYS_BACK=2 BACKFILL_DURATION_DAYS=2 SUMMARY_FILE=backfill.json bin/loadgen`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"live.json", "backfill.json"} {
		data, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, schema, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaKnowsEveryField(t *testing.T) {
	t.Parallel()
	var s runsummary.Summary
	fill(reflect.ValueOf(&s).Elem())
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, schema(t, true), data); err != nil {
		t.Errorf("a field is missing or another in docs/summary.schema.json: %v", err)
	}
}

// fill gives every field a value, every list and map one entry.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1e9, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		entry := reflect.New(v.Type().Elem()).Elem()
		fill(entry)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a").Convert(v.Type().Key()), entry)
	case reflect.String:
		v.SetString("a")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Int:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	default:
		panic("a summary has a field of kind " + v.Kind().String())
	}
}

// schema is that of the docs; strict, it refuses fields that it does not know.
func schema(t *testing.T, strict bool) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testbed.Root(), "docs", "summary.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if strict {
		refuseOthers(doc)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("summary.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("summary.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func refuseOthers(doc any) {
	switch d := doc.(type) {
	case map[string]any:
		for _, v := range d {
			refuseOthers(v)
		}
		if _, is := d["properties"].(map[string]any); is && d["type"] != nil {
			d["additionalProperties"] = false
		}
	case []any:
		for _, v := range d {
			refuseOthers(v)
		}
	}
}

func valid(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(instance)
}
