package spec

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Field describes one knob for forms, tables and checks.
type Field = envspec.Field

// The kinds of a knob's value.
const (
	Text    = envspec.Text
	Integer = envspec.Integer
	Number  = envspec.Number
	Bool    = envspec.Bool
	List    = envspec.List
)

// FileSuffix is appended to a secret's key to name the file that holds its value.
const FileSuffix = envspec.FileSuffix

// fields are all knobs in the order of their declaration.
var fields = envspec.Fields[Spec]()

// Fields are all knobs in the order of their declaration.
func Fields() []Field { return slices.Clone(fields) }

// Kind is the kind of run that the settings ask for, one of package record.
func (s *Spec) Kind() string {
	values := reflect.ValueOf(*s)
	return runsummary.KindOf(func(setting string) bool {
		for i := range values.NumField() {
			if values.Type().Field(i).Tag.Get("env") == setting {
				return values.Field(i).Bool()
			}
		}
		return false
	})
}

// names are all that a file of settings may hold: knobs, the file forms of secrets, and the names of the stack.
func names() []string {
	out := slices.Clone(stack)
	for _, f := range Fields() {
		out = append(out, f.Key)
		if f.Secret {
			out = append(out, f.Key+FileSuffix)
		}
	}
	return out
}

// IsKnown tells whether key is a knob, the file form of a secret, a name of the stack, or a key of the original that is
// dealt with.
func IsKnown(key string) bool { return IsObsolete(key) || slices.Contains(names(), key) }

// Nearest is the knob or the name of the stack that was probably meant by key: one that is a letter or two off, one of
// which key is the beginning, or the closest by edit distance; "" where none is near.
func Nearest(key string) string {
	all, most := names(), len(key)/2
	return cmp.Or(envspec.Nearest(key, all, min(most, 2)), longer(key, all), envspec.Nearest(key, all, most))
}

// longer is the first of names that goes on where key ends, as MATOMO_TOKEN_AUTH does after MATOMO_TOKEN, or "".
func longer(key string, names []string) string {
	at := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, strings.ToUpper(key)+"_") })
	if at < 0 {
		return ""
	}
	return names[at]
}

// Unknown reports every key that is no knob, with the nearest one, as errors or as warnings.
func Unknown(file string, environ map[string]string, severity problem.Severity) problem.List {
	var problems problem.List
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		if !IsKnown(key) {
			problems = append(problems, problem.Problem{
				Where: file + ": " + key, Message: "is not a known setting", Cure: meant(Nearest(key)),
				Severity: severity,
			})
		}
	}
	return problems
}

func meant(name string) string {
	if name == "" {
		return "remove it"
	}
	return "did you mean " + name + "?"
}

// ownPrefixes begin the names of knobs and, as far as is known, nothing else that an environment holds.
var ownPrefixes = []string{
	"BACKFILL_", "CAPACITY_", "CLICK_EVENTS_", "CONTROL_UI_", "DOWNLOADS_", "ECOMMERCE_", "OUTLINKS_", "PAGEVIEWS_",
	"PAUSE_BETWEEN_", "RANDOM_EVENTS_", "SITESEARCH_", "VISIT_DURATION_",
}

// Misspelt warns of the names in the environment of a process that were probably meant as one of ours: an environment
// is full of other names, so that one must be no more than two letters off, begin as only ours do, or be the beginning
// of one.
func Misspelt(environ map[string]string) problem.List {
	var problems problem.List
	all := names()
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		// Compose alone reads TRAFFICINATOR_…, and proxies are written in lower case too.
		if environ[key] == "" || IsKnown(key) || strings.HasPrefix(key, "TRAFFICINATOR_") ||
			strings.HasSuffix(key, "_proxy") {
			continue
		}
		most := 2
		if len(key) < 9 { // such as LOG_FILE, one letter from a name that somebody else may use
			most = 1
		}
		name := envspec.Nearest(key, all, most)
		if name == "" && slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			name = Nearest(key)
		} else if name == "" {
			if name = longer(key, all); name == "" || !strings.Contains(key, "_") {
				continue
			}
		}
		problems.Warn(key, "", "is not a known setting and has no effect", meant(name))
	}
	return problems
}

// stack are names that the compose files read, or the controller, and that therefore stand in the same .env as the
// knobs. Tests compare them with both.
var stack = []string{
	"TRAFFICINATOR_UID", "TRAFFICINATOR_GID", "DOCKER_GID", "DOCKER_SOCKET", "DOCKER_HOST", "CONTROLLER_DOCKER_HOST",
	"COMPOSE_PROJECT_NAME", "BUILD", "CONTROLLER_IMAGE", "LOADGEN_IMAGE", "LOADGEN_CONTAINER", "LOADGEN_BIN", "RUNTIME",
	"CONTROLLER_PORT", "CONTROL_UI_PORT", "CONTROL_UI_API_KEY", "CONTROL_UI_API_KEY_FILE", "PUBLIC_URL",
	"ALLOWED_HOSTS", "CORS_ORIGINS", "TRUSTED_PROXIES", "RATE_LIMIT_PER_MINUTE", "LISTEN_ADDR", "DATA_DIR",
	"CONFIG_DB_PATH", "PRESETS_DIR", "SECRET_KEY_FILE", "LOADGEN_MEMORY", "CONTROLLER_MEMORY", "RESTART_POLICY",
	"VERSION", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "HTTP_PROXY", "HTTPS_PROXY",
	"NO_PROXY",
}

// IsStackSetting tells whether key is a name of the compose stack or the controller: no knob, and ignored where knobs are
// read.
func IsStackSetting(key string) bool { return slices.Contains(stack, key) }

// Role is what kind of decision a knob is: what is to become of it follows from that, for a plan's hash, a comparison,
// a preset, what is published, and a form.
type Role = envspec.Role

// The roles. Each knob has one.
const (
	// Behaviour decides what is sent: a different value makes different visits.
	Behaviour Role = "behaviour"
	// OfTarget is where hits go and how they get there. It belongs to a set-up; no preset holds it.
	OfTarget Role = "target"
	// OfRun names one run or one start of it.
	OfRun Role = "run"
	// Speed is how fast the same visits are sent.
	Speed Role = "speed"
	// Place is where the loadgen finds and leaves things, set where it is started.
	Place Role = "place"
	// Verdict is what is made of the results.
	Verdict Role = "verdict"
	// Log is what is logged, and in which form.
	Log Role = "log"
)

// Roles are all roles.
func Roles() []Role { return []Role{Behaviour, OfTarget, OfRun, Speed, Place, Verdict, Log} }

// Keys are the knobs for which is says yes, in the order of their declaration.
func Keys(is func(Field) bool) []string {
	var out []string
	for _, f := range fields {
		if is(f) {
			out = append(out, f.Key)
		}
	}
	return out
}

// RoleOf is the role of the knob called key, empty where there is none.
func RoleOf(key string) Role {
	for _, f := range fields {
		if f.Key == key {
			return f.Role
		}
	}
	return ""
}

// Canonical is what all knobs of an environment are understood as, by key, each value written in one way: 1.0 is 1, YES
// is true, and one that is not set has its default, empty where it has none. Two environments ask for the same where
// these are equal. A value that is refused stays as it was written; secrets come in clear.
func Canonical(environ map[string]string) map[string]string {
	s, problems := Parse(environ, nil)
	out := map[string]string{}
	for _, f := range Fields() {
		out[f.Key] = written(f.Value(s))
	}
	for _, p := range problem.List(problems.Errors()) {
		if v := environ[p.Where]; v != "" {
			out[p.Where] = v
		}
	}
	return out
}

// written is a value of a knob as an environment holds it.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []float64:
		parts := make([]string, len(v))
		for i, n := range v {
			parts[i] = written(n)
		}
		return strings.Join(parts, ",")
	case secret.String:
		return v.Reveal()
	default:
		return fmt.Sprint(v)
	}
}
