package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kindOf is the word of JSON Schema for a value.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v != math.Trunc(v) {
			return "number"
		}
	}
	return "integer"
}

// kinds are those that x permits, none where any is.
func (x schema) kinds() []string {
	switch t := x.Type.(type) {
	case string:
		return []string{t}
	case []any:
		out := make([]string, len(t))
		for i := range t {
			out[i], _ = t[i].(string)
		}
		return out
	}
	return nil
}

// wrong are values that the rules of x for a whole value forbid.
func (s sampler) wrong(x schema, v any) []any {
	var out []any
	kinds := x.kinds()
	for _, other := range []any{nil, true, 1.5, 7, "text", []any{}, map[string]any{}} {
		kind := kindOf(other)
		fits := len(kinds) == 0 || slices.Contains(kinds, kind) || kind == "integer" && slices.Contains(kinds, "number")
		if !fits {
			out = append(out, other)
		}
	}
	if len(x.Enum) > 0 {
		out = append(out, "none of them")
	}
	if x.Minimum != nil {
		out = append(out, *x.Minimum-1)
	}
	if x.Maximum != nil {
		out = append(out, *x.Maximum+1)
	}
	if x.MaxLength != nil {
		out = append(out, strings.Repeat("a", *x.MaxLength+1))
	}
	if x.MinLength != nil && *x.MinLength > 0 {
		out = append(out, strings.Repeat("a", *x.MinLength-1))
	}
	if x.Pattern != "" && slices.Contains(kinds, "string") {
		out = append(out, "\x01 matches nothing \x01")
	}
	if x.Format == "date-time" {
		out = append(out, "the day before")
	}
	if list, ok := v.([]any); ok && x.MaxItems != nil && len(list) > 0 {
		out = append(out, slices.Repeat(list[:1], *x.MaxItems+1))
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return out
	}
	for _, name := range x.Required {
		without := maps.Clone(fields)
		delete(without, name)
		out = append(out, without)
	}
	if closed, ok := x.AdditionalProperties.(bool); ok && !closed {
		more := maps.Clone(fields)
		more["nothing_knows_this"] = 1
		out = append(out, more)
	}
	return out
}

// broken is v, which fits x, with one rule broken in one place; false where x has no rule.
func (s sampler) broken(x schema, v any) (any, bool) {
	x = s.resolve(x)
	type place struct {
		key string
		at  int
	}
	var inside []place
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if _, known := x.Properties[key]; known {
				inside = append(inside, place{key: key})
			}
		}
	case []any:
		if x.Items != nil {
			for i := range v {
				inside = append(inside, place{at: i})
			}
		}
	}
	if len(inside) > 0 && s.IntN(4) > 0 {
		p := inside[s.IntN(len(inside))]
		if fields, ok := v.(map[string]any); ok {
			if below, done := s.broken(x.Properties[p.key], fields[p.key]); done {
				out := maps.Clone(fields)
				out[p.key] = below
				return out, true
			}
		} else if list, ok := v.([]any); ok {
			if below, done := s.broken(*x.Items, list[p.at]); done {
				out := slices.Clone(list)
				out[p.at] = below
				return out, true
			}
		}
	}
	all := s.wrong(x, v)
	if len(all) == 0 {
		return nil, false
	}
	return all[s.IntN(len(all))], true
}

// brokenText is a text that is no value of a parameter; false where any is one.
func (s sampler) brokenText(x schema) (string, bool) {
	x = s.resolve(x)
	var texts []string
	for _, v := range s.wrong(x, nil) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case float64:
			texts = append(texts, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	if slices.Contains(x.kinds(), "array") || slices.Contains(x.kinds(), "string") && x.Format == "" &&
		len(x.Enum) == 0 {
		texts = slices.DeleteFunc(texts, func(text string) bool {
			return text == "text" || text == "1.5" || text == "7"
		})
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" }) // as if it were not there
	if len(texts) == 0 {
		return "", false
	}
	return texts[s.IntN(len(texts))], true
}

// breaks sends a request that would be good but for one rule of the document, and fails where it is taken.
func (c contract) breaks(t *testing.T, f *fixture, s sampler, method, path string, o operation) {
	t.Helper()
	target, query, body, what := path, url.Values{}, "", ""
	headers := map[string]string{}
	for _, p := range o.Parameters {
		v := s.parameter(p.Schema, p.Name)
		if bad, ok := s.brokenText(p.Schema); ok && what == "" && s.IntN(2) == 0 {
			v, what = bad, fmt.Sprintf("%s %q", p.Name, bad)
		} else if p.In != "path" {
			continue
		}
		switch p.In {
		case "path":
			target = strings.ReplaceAll(target, "{"+p.Name+"}", url.PathEscape(v))
		case "query":
			query.Set(p.Name, v)
		case "header":
			headers[p.Name] = v
		}
	}
	if o.RequestBody != nil {
		x := o.RequestBody.Content["application/json"].Schema
		sample := s.plain(s.value(x, ""))
		if what == "" && s.IntN(4) > 0 {
			if bad, ok := s.broken(x, sample); ok {
				sample, what = bad, "its body"
			}
		}
		data, err := json.Marshal(sample)
		if err != nil {
			t.Fatal(err)
		}
		if body = string(data); what == "" {
			spoilt := []string{body + "}", body[:len(body)-1], body + "\xff"}
			if end := strings.LastIndexByte(body, '"'); end >= 0 {
				spoilt = append(spoilt, body[:end]+"\xff"+body[end:])
			}
			body, what = spoilt[s.IntN(len(spoilt))], "its body, which is no JSON in UTF-8,"
		}
	}
	if what == "" {
		return // nothing of it can be wrong
	}
	r := httptest.NewRequest(method, "/", nil)
	var pairs []string
	for name, v := range headers {
		pairs = append(pairs, name, v)
	}
	got := f.ask(method, target+"?"+query.Encode(), body, pairs...)
	told := fmt.Sprintf("%s %.200s?%.200s %.300q", method, target, query.Encode(), body)
	c.check(t, told, path, r, got)
	if got.Code < http.StatusBadRequest {
		t.Errorf("%s: taken with %d, though %s breaks the document", told, got.Code, what)
	}
}

// plain is a sample as JSON has it.
func (s sampler) plain(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // samples are plain values
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}
