package setup

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// elsewhere is where a person finds what a knob is for that no saved configuration holds, those of a backfill apart; ""
// for the others.
func elsewhere(key string) string {
	switch {
	case key == "MULTI_TARGET_CONFIG":
		return "use the targets"
	case key == "URLS_FILE":
		return "use the list of pages"
	case key == "FUNNEL_CONFIG_PATH":
		return "use the funnels"
	case key == "AUTO_START", key == "START_ID":
		return "start and stop the run"
	case key == "SUMMARY_FILE":
		return "read the run's ledger"
	case spec.RoleOf(key) == spec.Place:
		return "set it where the loadgen is started"
	}
	return ""
}

// where is elsewhere, also of the knobs of a backfill.
func where(f spec.Field) string {
	if f.Group == spec.BackfillGroup {
		return "start a backfill with it"
	}
	return elsewhere(f.Key)
}

// Fields are the knobs of a saved configuration in the order of their declaration.
func Fields() []spec.Field {
	return slices.DeleteFunc(spec.Fields(), func(f spec.Field) bool { return where(f) != "" })
}

// isOfTarget reports whether a knob of a saved configuration says where hits go and how they get there.
func isOfTarget(key string) bool { return spec.RoleOf(key) == spec.OfTarget && elsewhere(key) == "" }

// isOwn reports whether a knob is one of a set-up that a preset neither holds nor changes.
func isOwn(key string) bool { return key == "RUN_ID" || isOfTarget(key) }

// knobs are values as they are saved, by env key.
type knobs struct {
	plain   map[string]string
	secrets map[string]secret.String
}

func (k knobs) clone() knobs {
	c := knobs{map[string]string{}, map[string]secret.String{}}
	maps.Copy(c.plain, k.plain)
	maps.Copy(c.secrets, k.secrets)
	return c
}

// environ is what the loadgen's own rules read.
func (k knobs) environ() map[string]string {
	out := maps.Clone(k.plain)
	if out == nil {
		out = map[string]string{}
	}
	for key, v := range k.secrets {
		out[key] = v.Reveal()
	}
	return out
}

// put lays values over k. Keys are env names in any case; null or "" clears; a masked secret stays as it is, unless an
// address brings its user and password along. What no saved configuration holds is refused, unless it is empty: the
// original's form sends all of its fields.
func (k knobs) put(values map[string]any, problems *problem.List) {
	fields := map[string]spec.Field{}
	for _, f := range Fields() {
		fields[f.Key] = f
	}
	seen := map[string]bool{}
	for _, given := range slices.Sorted(maps.Keys(values)) {
		key := strings.ToUpper(given)
		f, known := fields[key]
		v, ok := text(values[given])
		if !known {
			if blank := ok && strings.TrimSpace(v) == ""; !blank || !spec.IsKnown(key) {
				refuseKey(given, problems)
			}
			continue
		}
		if seen[key] {
			problems.Refuse(key, "", "is given twice, in different case", "keep only one")
			continue
		}
		seen[key] = true
		switch {
		case !ok:
			problems.Refuse(key, "", "is neither a text nor a number, a yes or no, or a list of them",
				"write a "+string(f.Kind))
		case f.Secret && v == secret.Mask:
		case f.Secret && strings.Contains(v, secret.Mask):
			problems.Refuse(key, "", "holds a mask",
				"give the secret itself, or leave the mask alone to keep what is saved")
		case strings.ContainsAny(v, "\r\n\x00") && key != "MATOMO_HEADERS":
			problems.Refuse(key, "", "has a line break or a null", "write it in one line")
		case f.Secret:
			if v = strings.TrimSpace(v); v == "" && k.secrets[key] != "" {
				problems.Warn(key, "", "is empty, which removes the saved one",
					"send "+secret.Mask+" or leave it out to keep it")
			}
			k.secrets[key] = secret.String(v)
		case strings.TrimSpace(v) == "":
			delete(k.plain, key)
		default:
			k.plain[key] = strings.TrimSpace(v)
		}
	}
	if gives(values, authKnob) && !holds(values, authKnob, false) {
		delete(k.secrets, authKnob)
	}
	k.separate()
}

// separate completes MATOMO_URL and takes user and password out of it, because an address is shown and they are not.
// One that cannot be used stays as it is, and is refused.
func (k knobs) separate() {
	t := target.Target{URL: k.plain["MATOMO_URL"], Access: target.Access{HTTPAuth: k.secrets["MATOMO_HTTP_AUTH"]}}
	usable := t.URL != ""
	t.Check(func(field, _, _, _ string) { usable = usable && field != "url" })
	if !usable {
		return
	}
	k.plain["MATOMO_URL"] = t.URL
	if t.HTTPAuth != "" {
		k.secrets["MATOMO_HTTP_AUTH"] = t.HTTPAuth
	}
}

// authKnob is the one secret that an address may hold too.
const authKnob = "MATOMO_HTTP_AUTH"

// gives reports whether values hold a knob itself, in its address or by its name, masks whether they hold the mask of
// one.
func gives(values map[string]any, knob string) bool {
	if holds(values, knob, false) || knob != authKnob {
		return holds(values, knob, false)
	}
	for key, v := range values {
		if address, ok := v.(string); ok && strings.EqualFold(key, "MATOMO_URL") {
			u, err := url.Parse(strings.TrimSpace(address))
			return err == nil && u.User != nil
		}
	}
	return false
}

func masks(values map[string]any, knob string) bool { return holds(values, knob, true) }

func holds(values map[string]any, knob string, mask bool) bool {
	for key, v := range values {
		if strings.EqualFold(key, knob) {
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
		if cure := where(f); f.Key == key && cure != "" {
			problems.Refuse(key, "", "is no part of the saved configuration", cure)
			return
		}
	}
	cure := "remove it"
	if plain, byFile := strings.CutSuffix(key, spec.FileSuffix); byFile && spec.IsKnown(key) {
		cure = "give " + plain + " itself: a saved configuration names no files"
	}
	if n := spec.Nearest(key); n != "" && !spec.IsKnown(key) && elsewhere(n) == "" && !spec.IsStackSetting(n) {
		cure = "did you mean " + n + "?"
	}
	if spec.IsStackSetting(key) {
		cure = "set it in .env, from where the stack and the controller read it"
	}
	problems.Refuse(given, "", "is not a known setting", cure)
}

// text is a JSON value as an environment would hold it.
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

// typed are all knobs of a saved configuration by env key, with the type of their kind; nil where one without a
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

// normalized is c with its values written as they were understood: "YES" becomes "true", "1s" becomes "1", and user and
// password leave MATOMO_URL.
func (c config) normalized() config {
	values, k := typed(c.spec), c.clone()
	for key := range k.plain {
		if v, ok := text(values[key]); ok {
			k.plain[key] = v
		}
	}
	for key, v := range values {
		if v, ok := v.(secret.String); ok && v != "" {
			k.secrets[key] = v
		}
	}
	if maps.Equal(k.plain, c.plain) && maps.Equal(k.secrets, c.secrets) {
		return c
	}
	return saved(store.Config{Revision: c.revision, Updated: c.updated}, k.parse())
}
