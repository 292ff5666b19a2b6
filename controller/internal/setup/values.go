package setup

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// instead returns what users do instead of saving a setting that is part of no configuration; "" for the others.
func instead(f spec.Field) string {
	if f.Group == spec.BackfillGroup {
		return "start a backfill with it"
	}
	return f.Instead
}

// isElsewhere reports whether a setting is part of neither a configuration nor a backfill.
func isElsewhere(key string) bool {
	return slices.ContainsFunc(spec.Fields(), func(f spec.Field) bool { return f.Key == key && f.Instead != "" })
}

// Fields returns the settings of a saved configuration in the order of their declaration.
func Fields() []spec.Field {
	return slices.DeleteFunc(spec.Fields(), func(f spec.Field) bool { return instead(f) != "" })
}

// isOfTarget reports whether a setting of a saved configuration decides where and how hits are sent.
func isOfTarget(key string) bool { return spec.RoleOf(key) == spec.OfTarget && !isElsewhere(key) }

// isOwn reports whether presets do not contain a setting.
func isOwn(key string) bool { return key == "RUN_ID" || isOfTarget(key) }

// settings are values as they are saved, by env key.
type settings struct {
	plain   map[string]string
	secrets map[string]secret.String
}

func (v settings) clone() settings {
	c := settings{map[string]string{}, map[string]secret.String{}}
	maps.Copy(c.plain, v.plain)
	maps.Copy(c.secrets, v.secrets)
	return c
}

// environ returns v as the environment of a loadgen.
func (v settings) environ() map[string]string {
	out := map[string]string{}
	maps.Copy(out, v.plain)
	for key, s := range v.secrets {
		out[key] = s.Reveal()
	}
	return out
}

// put overrides v with values. Keys are env names in any case; null or "" clears; a masked secret stays, unless an
// address contains user and password. Settings of no configuration are refused, unless they are empty: the form of the
// original sends all of its fields.
func (v settings) put(values map[string]any, problems *problem.List) {
	v.putFields(Fields(), values, strings.ToUpper, func(given string, blank bool) {
		if !blank || !spec.IsKnown(strings.ToUpper(given)) {
			refuseKey(given, problems)
		}
	}, problems)
	if givesSecret(values, authKey) && !has(values, authKey, false) {
		delete(v.secrets, authKey)
	}
	v.splitAddress()
}

// putFields sets fields. keyOf returns the env key of a name in values; unknown is called for those of no field.
func (v settings) putFields(fields []spec.Field, values map[string]any, keyOf func(string) string,
	unknown func(given string, blank bool), problems *problem.List) {
	seen := map[string]bool{}
	for _, given := range slices.Sorted(maps.Keys(values)) {
		key := keyOf(given)
		s, ok := text(values[given])
		trimmed := strings.TrimSpace(s)
		i := slices.IndexFunc(fields, func(f spec.Field) bool { return f.Key == key })
		if i < 0 {
			unknown(given, ok && trimmed == "")
			continue
		}
		f, twice := fields[i], seen[key]
		seen[key] = true
		switch {
		case twice:
			problems.Refuse(key, "", "is set twice", "keep only one")
		case !ok:
			problems.Refuse(key, "", "is neither a string nor a number, a boolean, or a list of them",
				"use a "+string(f.Kind))
		case f.Secret && s == secret.Mask:
		case f.Secret && strings.Contains(s, secret.Mask):
			problems.Refuse(key, "", "contains a mask",
				"enter the secret itself, or only the mask to keep the saved one")
		case strings.ContainsAny(s, "\r\n\x00") && f.Widget != "lines":
			problems.Refuse(key, "", "has a line break or a null character", "write it on one line")
		case f.Secret:
			if trimmed == "" && v.secrets[key] != "" {
				problems.Warn(key, "", "is empty, which removes the saved one",
					"send "+secret.Mask+" or leave it out to keep it")
			}
			v.secrets[key] = secret.String(trimmed)
		case trimmed == "":
			delete(v.plain, key)
		default:
			v.plain[key] = trimmed
		}
	}
}

// splitAddress completes MATOMO_URL and moves user and password out of it, because an address is shown and they are
// not. An invalid one stays, and is refused later.
func (v settings) splitAddress() {
	t := target.Target{URL: v.plain["MATOMO_URL"], Access: target.Access{HTTPAuth: v.secrets[authKey]}}
	valid := t.URL != ""
	t.Check(func(field, _, _, _ string) { valid = valid && field != "url" })
	if !valid {
		return
	}
	v.plain["MATOMO_URL"] = t.URL
	if t.HTTPAuth != "" {
		v.secrets[authKey] = t.HTTPAuth
	}
}

// authKey is the one secret that an address may contain too.
const authKey = "MATOMO_HTTP_AUTH"

// givesSecret reports whether values contain a secret itself, by its name or in an address.
func givesSecret(values map[string]any, key string) bool {
	if has(values, key, false) {
		return true
	}
	for given, v := range values {
		if address, ok := v.(string); ok && key == authKey && strings.EqualFold(given, "MATOMO_URL") {
			u, err := url.Parse(strings.TrimSpace(address))
			return err == nil && u.User != nil
		}
	}
	return false
}

// hasMask reports whether values contain the mask of a secret.
func hasMask(values map[string]any, key string) bool { return has(values, key, true) }

func has(values map[string]any, key string, mask bool) bool {
	for given, v := range values {
		if strings.EqualFold(given, key) {
			return (v == secret.Mask) == mask
		}
	}
	return false
}

func refuseKey(given string, problems *problem.List) {
	key := strings.ToUpper(given)
	if spec.IsObsolete(key) {
		problems.Warn(key, "", "has no effect", "remove it")
		return
	}
	for _, f := range spec.Fields() {
		if fix := instead(f); f.Key == key && fix != "" {
			problems.Refuse(key, "", "is not part of the saved configuration", fix)
			return
		}
	}
	fix := "remove it"
	if plain, isFile := strings.CutSuffix(key, spec.FileSuffix); isFile && spec.IsKnown(key) {
		fix = "set " + plain + " itself: a saved configuration names no files"
	}
	if n := spec.Nearest(key); n != "" && !spec.IsKnown(key) && !isElsewhere(n) && !spec.IsStackSetting(n) {
		fix = "did you mean " + n + "?"
	}
	if spec.IsStackSetting(key) {
		fix = "set it in .env, where the stack and the controller read it"
	}
	problems.Refuse(given, "", "is not a known setting", fix)
}

// text returns a JSON value as the text of an environment variable.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64, uint64, json.Number:
		return fmt.Sprint(v), true
	case secret.String:
		return v.Reveal(), true
	case []float64:
		parts := make([]any, len(v))
		for i, n := range v {
			parts[i] = n
		}
		return text(parts)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			part, ok := text(e)
			if _, list := e.([]any); !ok || list {
				return "", false
			}
			parts[i] = part
		}
		return strings.Join(parts, ","), true
	}
	return "", false
}

// typed returns all settings of a saved configuration by env key, with the type of their kind; nil if one without a
// default is not set. Secrets print as masks.
func typed(s spec.Spec) map[string]any {
	out := map[string]any{}
	for _, f := range Fields() {
		out[f.Key] = f.Value(s)
		if zone, ok := out[f.Key].(calendar.Zone); ok {
			out[f.Key] = zone.String()
		}
	}
	return out
}

// normalized returns c with its values as they were parsed: "YES" becomes "true", "1s" becomes "1", and user and
// password leave MATOMO_URL.
func (c config) normalized() config {
	values, v := typed(c.spec), c.clone()
	for key := range v.plain {
		if s, ok := text(values[key]); ok {
			v.plain[key] = s
		}
	}
	for key, s := range values {
		if s, ok := s.(secret.String); ok && s != "" {
			v.secrets[key] = s
		}
	}
	if maps.Equal(v.plain, c.plain) && maps.Equal(v.secrets, c.secrets) {
		return c
	}
	return v.parse().of(stored.Config{Revision: c.revision, Updated: c.updated})
}
