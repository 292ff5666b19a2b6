package api_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// schema is as much of JSON Schema as the document uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []any
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MinItems, MaxItems   *int
	Pattern, Format      string
	Items                *schema
	OneOf                []schema
	Properties           map[string]schema
	Required             []string
	AdditionalProperties any
}

// hostile are values that break what is not careful.
var hostile = []string{
	"", "0", "-1", "1", "2", "9999999999999999999999", "NaN", "1e309", "null", "true", "[]", "{}", `"`,
	"'; DROP TABLE presets;--",
	"\x00", "../../etc/passwd", strings.Repeat("A", 5000), "<script>alert(1)</script>", "%s%n", "😀", "\xff\xfe",
	"2026-01-01T00:00:00Z", token,
	"***MASKED***", "\r\nX-Injected: 1", strings.Repeat("é", 200),
}

// hostileBodies are bodies that break what is not careful, whatever the route.
var hostileBodies = []string{
	"null", "[]", "{}", "0", `"x"`, "{", "\x00", `{"config":null}`, `{"config":[]}`,
	`{"config":{"PAGEVIEWS_MIN":{"a":1}}}`, `{"content":"[[[["}`,
	`{"name":"\u0000","config":{}}`, `{"name":"f","config":{"steps":[null]}}`, `{"funnel":{"steps":{}}}`,
	`{"name":1,"url":[],"token_auth":{"a":"` + token + `"}}`,
	`{"config":{"MATOMO_TOKEN_AUTH":["` + token + `"]}}`,
	`{"a":` + strings.Repeat(`[`, 2000) + strings.Repeat(`]`, 2000) + `}`,
	`{"trafficinator_setup":1,"targets":[{"name":"a"},null,7],"funnels":{},"events":[],"presets":[{}]}`, `{"a":1e999}`,
	`{"a":1,"a":2}`, "\xef\xbb\xbf{}",
}

// telling are texts and objects that the routes understand, so that a sample gets beyond the first check.
var (
	telling = map[string][]any{
		"content": {
			"https://shop.example.test/a\n",
			`{"click_events":[{"category":"c","action":"a","name":"n"}],"random_events":[]}`, "", "[]",
		},
		"config": {
			map[string]any{"MATOMO_URL": "http://127.0.0.1:1/matomo.php", "MATOMO_TOKEN_AUTH": token},
			map[string]any{"PAGEVIEWS_MIN": 2},
			map[string]any{"CONCURRENCY": 0}, map[string]any{"ECOMMERCE_SHIPPING_RATES": []any{0, 5}},
			map[string]any{"NOTHING": true}, map[string]any{},
		},
		"steps": {[]any{map[string]any{"type": "pageview", "url": "https://shop.example.test/"}}, []any{},
			[]any{map[string]any{"type": "dance"}}},
		"run_id":     {"there", "nothing"},
		"id":         {"there", "nothing"},
		"url":        {"https://m.example.test/matomo.php", "nowhere"},
		"token_auth": {token, "", "***MASKED***"},
		"name":       {"one", "two", "Two", ""},
		"a":          {"there"}, // runs to compare
		"b":          {"other"},
		"files":      {[]any{"loadgen.env"}, []any{"../x"}},
		// a API benchmark
		"target": {"there", ""}, "reports": {[]any{"Goals"}}, "more": {[]any{}}, "periods": {[]any{"day"}},
		"segments": {[]any{""}},
		"repeats":  {1}, "parallel": {1}, "timeout_seconds": {1}, "date": {"2026-01-02", ""},
		"funnel": {map[string]any{"steps": []any{map[string]any{"type": "pageview",
			"url": "https://shop.example.test/"}}}},
	}
	// atTheRoot goes where a route takes any object.
	atTheRoot = []any{
		map[string]any{"name": "f", "probability": 0.5,
			"steps": []any{map[string]any{"type": "pageview", "url": "https://shop.example.test/"}}},
		map[string]any{"name": "t", "url": "https://m.example.test/matomo.php", "site_id": 1, "token_auth": token},
		map[string]any{"DAYS_BACK": 1, "DURATION_DAYS": 1},
		map[string]any{"trafficinator_setup": 1}, map[string]any{"enabled": false}, map[string]any{"token_auth": ""},
	}
)

// window is what a backfill may be asked with.
var window = map[string]any{"DAYS_BACK": 2, "BACKFILL_DURATION_DAYS": "2", "name": "two days", "RUN_ONCE": true}

// shown are texts that come back as they were written, so a token in them is no secret.
var shown = []string{"content", "name", "description", "note", "labels", "url"}

// sampler draws values that fit a schema, and some that do not.
type sampler struct {
	*rand.Rand
	schemas map[string]schema
	// spite is how often, 0 to 1, a value is replaced by a hostile one.
	spite float64
}

func (s sampler) resolve(x schema) schema {
	for x.Ref != "" {
		x = s.schemas[strings.TrimPrefix(x.Ref, "#/components/schemas/")]
	}
	return x
}

// value draws a value for x, which is called name.
func (s sampler) value(x schema, name string) any {
	x = s.resolve(x)
	if s.Float64() < s.spite {
		if v := hostile[s.IntN(len(hostile))]; v != token || !slices.Contains(shown, name) {
			return v
		}
	}
	if known := telling[name]; len(known) > 0 && s.Float64() < 0.9 {
		return known[s.IntN(len(known))]
	}
	if len(x.Enum) > 0 {
		return x.Enum[s.IntN(len(x.Enum))]
	}
	kind, _ := x.Type.(string)
	if kinds, ok := x.Type.([]any); ok {
		kind, _ = kinds[s.IntN(len(kinds))].(string)
	}
	switch kind {
	case "object":
		return s.object(x, name)
	case "array":
		out := []any{}
		for range s.IntN(3) {
			out = append(out, s.value(*x.Items, name))
		}
		return out
	case "integer":
		return s.whole(x)
	case "number":
		return s.Float64()
	case "boolean":
		return s.IntN(2) == 0
	case "null":
		return nil
	}
	return s.text(x)
}

func (s sampler) object(x schema, name string) any {
	if name == "" && len(x.Required) == 0 && s.Float64() < 0.6 {
		if open, _ := x.AdditionalProperties.(bool); open {
			return atTheRoot[s.IntN(len(atTheRoot))]
		}
	}
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(x.Properties)) {
		if slices.Contains(x.Required, key) || s.IntN(2) == 0 {
			out[key] = s.value(x.Properties[key], key)
		}
	}
	return out
}

func (s sampler) whole(x schema) int64 {
	lo, hi := int64(0), int64(3)
	if x.Minimum != nil {
		lo = int64(*x.Minimum)
		hi = lo + 3
	}
	if x.Maximum != nil {
		hi = min(hi, int64(*x.Maximum))
	}
	return lo + s.Int64N(hi-lo+1)
}

func (s sampler) text(x schema) string {
	if x.Format == "date-time" {
		return "2026-01-02T03:04:05Z"
	}
	least := 1
	if x.MinLength != nil {
		least = max(least, *x.MinLength)
	}
	return strings.Repeat(string(rune('a'+s.IntN(3))), least)
}

// body draws a body of an operation; its kinds are fitting, nearly fitting and hostile.
func (s sampler) body(o operation) string {
	if o.RequestBody == nil {
		return ""
	}
	if s.Float64() < s.spite {
		return hostileBodies[s.IntN(len(hostileBodies))]
	}
	sample := s.value(o.RequestBody.Content["application/json"].Schema, "")
	if strings.HasPrefix(o.OperationID, "post-api-backfill-") && !strings.HasSuffix(o.OperationID, "cancel") &&
		s.IntN(2) == 0 {
		sample = window
	}
	data, err := json.Marshal(sample)
	if err != nil {
		panic(err) // samples are plain values
	}
	return string(data)
}

// parameter draws a text for a parameter.
func (s sampler) parameter(x schema, name string) string {
	v := s.value(x, name)
	if text, ok := v.(string); ok {
		return text
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // samples are plain values
	}
	return string(data)
}
