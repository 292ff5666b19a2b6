package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Field describes one setting.
type Field = envspec.Field

// FileSuffix is appended to a secret's key to name the file with its value.
const FileSuffix = envspec.FileSuffix

var fields = envspec.Fields[Spec]()

// Fields returns all settings in the order of their declaration.
func Fields() []Field { return slices.Clone(fields) }

// Kind returns the kind of run that the settings select, see runsummary.Kinds.
func (s *Spec) Kind() string {
	return runsummary.KindOf(func(setting string) bool { return field(setting).Value(*s) == true })
}

func field(key string) Field {
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Key == key })
	if i < 0 {
		return Field{}
	}
	return fields[i]
}

// names are the permitted keys of a settings file: settings, the file forms of secrets, and names of the compose stack.
func names() []string {
	out := slices.Clone(stack)
	for _, f := range fields {
		out = append(out, f.Key)
		if f.Secret {
			out = append(out, f.Key+FileSuffix)
		}
	}
	return out
}

// IsKnown reports whether a settings file may contain key, even without effect.
func IsKnown(key string) bool { return IsObsolete(key) || slices.Contains(names(), key) }

// Nearest returns the name that was probably meant by key: one within two edits, one that begins with key, or the
// closest by edit distance; "" if there is none.
func Nearest(key string) string {
	all, most := names(), len(key)/2
	return cmp.Or(envspec.Nearest(key, all, min(most, 2)), longer(key, all), envspec.Nearest(key, all, most))
}

// longer returns the first name that continues key, as MATOMO_TOKEN_AUTH continues MATOMO_TOKEN, or "".
func longer(key string, names []string) string {
	at := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, strings.ToUpper(key)+"_") })
	if at < 0 {
		return ""
	}
	return names[at]
}

// Unknown reports every unknown key, with the nearest known one.
func Unknown(file string, environ map[string]string, severity problem.Severity) problem.List {
	var problems problem.List
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		if !IsKnown(key) {
			problems = append(problems, problem.Problem{
				Where: file + ": " + key, Message: "is not a known setting", Cure: suggest(Nearest(key)),
				Severity: severity,
			})
		}
	}
	return problems
}

func suggest(name string) string {
	if name == "" {
		return "remove it"
	}
	return "did you mean " + name + "?"
}

// ownPrefixes begin names of settings and, as far as is known, no other variables of an environment.
var ownPrefixes = []string{
	"BACKFILL_", "CAPACITY_", "CLICK_EVENTS_", "CONTROL_UI_", "DOWNLOADS_", "ECOMMERCE_", "OUTLINKS_", "PAGEVIEWS_",
	"PAUSE_BETWEEN_", "RANDOM_EVENTS_", "SITESEARCH_", "VISIT_DURATION_",
}

// Misspelt warns of variables in an environment that were probably meant as settings. An environment is full of other
// names, so only those count that are within two edits of a setting, have an own prefix, or begin a setting.
func Misspelt(environ map[string]string) problem.List {
	var problems problem.List
	all := names()
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		// Only compose reads TRAFFICINATOR_…, and proxies are written in lower case too.
		if environ[key] == "" || IsKnown(key) || strings.HasPrefix(key, "TRAFFICINATOR_") ||
			strings.HasSuffix(key, "_proxy") {
			continue
		}
		most := 2
		if len(key) < 9 { // such as LOG_FILE, one letter from a name that another program may use
			most = 1
		}
		name := envspec.Nearest(key, all, most)
		switch {
		case name != "":
		case slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }):
			name = Nearest(key)
		case !strings.Contains(key, "_") || longer(key, all) == "":
			continue
		default:
			name = longer(key, all)
		}
		problems.Warn(key, "", "is not a known setting and has no effect", suggest(name))
	}
	return problems
}

// stack are names of the compose files and the controller, which share .env with the settings. Tests compare them.
var stack = []string{
	"TRAFFICINATOR_UID", "TRAFFICINATOR_GID", "DOCKER_GID", "DOCKER_SOCKET", "DOCKER_HOST", "CONTROLLER_DOCKER_HOST",
	"COMPOSE_PROJECT_NAME", "BUILD", "CONTROLLER_IMAGE", "LOADGEN_IMAGE", "LOADGEN_CONTAINER", "LOADGEN_BIN", "RUNTIME",
	"CONTROLLER_PORT", "CONTROL_UI_PORT", "CONTROL_UI_API_KEY", "CONTROL_UI_API_KEY_FILE", "PUBLIC_URL",
	"ALLOWED_HOSTS", "CORS_ORIGINS", "TRUSTED_PROXIES", "RATE_LIMIT_PER_MINUTE", "LISTEN_ADDR", "DATA_DIR",
	"CONFIG_DB_PATH", "PRESETS_DIR", "SECRET_KEY_FILE", "LOADGEN_MEMORY", "CONTROLLER_MEMORY", "RESTART_POLICY",
	"VERSION", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "HTTP_PROXY", "HTTPS_PROXY",
	"NO_PROXY",
}

// IsStackSetting reports whether key is a name of the compose stack or the controller, which is ignored here.
func IsStackSetting(key string) bool { return slices.Contains(stack, key) }

// Role is the kind of decision that a setting makes: plan hash, comparisons, presets and forms depend on it.
type Role = envspec.Role

// The roles. Each setting has one.
const (
	Behaviour Role = "behaviour" // what is sent: a different value makes different visits
	OfTarget  Role = "target"    // where hits go and how they get there; in no preset
	OfRun     Role = "run"       // names a run or a start of it
	Speed     Role = "speed"     // how fast the same visits are sent
	Place     Role = "place"     // paths and addresses, set where the loadgen is started
	Verdict   Role = "verdict"   // how the results are judged
	Log       Role = "log"       // what is logged, and how
)

// Keys returns the keys of the settings for which is returns true, in the order of their declaration.
func Keys(is func(Field) bool) (keys []string) {
	for _, f := range fields {
		if is(f) {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// RoleOf returns the role of a setting, "" if key is unknown.
func RoleOf(key string) Role { return field(key).Role }

// Canonical returns the parsed value of every setting in one notation: 1.0 is 1, YES is true, and a setting that is not
// set has its default. Two environments are equivalent if these are equal. Invalid values stay as written; secrets are
// not masked.
func Canonical(environ map[string]string) map[string]string {
	s, problems := Parse(environ, nil)
	out := map[string]string{}
	for _, f := range fields {
		out[f.Key] = written(f.Value(s))
	}
	for _, p := range problem.List(problems.Errors()) {
		if v := environ[p.Where]; v != "" {
			out[p.Where] = v
		}
	}
	return out
}

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
