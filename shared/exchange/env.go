package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// maxEnv is the maximum size of a settings file in bytes.
const maxEnv = 1 << 20

// plainValue needs no quotes.
var plainValue = regexp.MustCompile(`^[A-Za-z0-9_./:,@%+-]*$`)

var envKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ParseEnv parses KEY=value lines as `docker compose --env-file` does, but without variables in values. `#` starts a
// comment at the start of a line or after a space; a value in single quotes is literal; in double quotes, \\ \" \$
// stand for the second character and \n for a line break. name is the file's name in problems.
func ParseEnv(name string, data []byte) (map[string]string, problem.List) {
	var problems problem.List
	if len(data) > maxEnv {
		problems.Refuse(name, "", "is larger than 1 MiB", "use a file of settings, one per line")
		return nil, problems
	}
	text, err := textfile.Decode(data)
	if err != nil {
		where := name
		if errors.Is(err, textfile.ErrEncoding) {
			where = fmt.Sprintf("%s line %d", name, textfile.InvalidLine(data))
		}
		problems.Refuse(where, "", err.Error(), textfile.Cure(err))
		return nil, problems
	}
	values := map[string]string{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		where := fmt.Sprintf("%s line %d", name, number)
		line = strings.TrimSpace(line)
		key, value, ok := cutLine(line)
		switch {
		case line == "" || line[0] == '#':
		case !ok || !envKey.MatchString(key):
			// The line may contain a secret, so it is not shown.
			problems.Refuse(where, "", "is not KEY=value", "write a setting, or start the line with #")
		default:
			if _, twice := values[key]; twice {
				problems.Refuse(where, key, "is set twice", "keep only one")
			}
			plain, ok := unquote(value)
			if !ok {
				problems.Refuse(where, key, "has an unclosed quote, or text after it", "quote the whole value")
			}
			values[key] = plain
		}
	}
	return values, problems
}

func cutLine(line string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(line, "=")
	return strings.TrimSpace(strings.TrimPrefix(key, "export ")), strings.TrimSpace(value), ok
}

// DockerRunValues returns the values, by key, that docker run --env-file reads differently, with quotes and comments.
func DockerRunValues(data []byte) map[string]string {
	text, _ := textfile.Decode(data) // ParseEnv reports the error
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, ok := cutLine(strings.TrimSpace(line))
		if plain, _ := unquote(value); ok && envKey.MatchString(key) && plain != value {
			out[key] = value
		}
	}
	return out
}

var (
	quoted   = regexp.MustCompile(`^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")(?:\s+#.*)?$`)
	unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, `\n`, "\n")
	escape   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`)
)

// unquote returns the value that v stands for, false if its quotes are invalid.
func unquote(v string) (string, bool) {
	if v != "" && (v[0] == '"' || v[0] == '\'') {
		inside := quoted.FindStringSubmatch(v)
		if inside == nil {
			return v, false
		}
		return inside[1] + unescape.Replace(inside[2]), true
	}
	if strings.HasPrefix(v, "#") {
		return "", true
	}
	v, _, _ = strings.Cut(v, " #")
	return strings.TrimSpace(v), true
}

// EncodeEnv writes values as lines sorted by key, a line break inside a value as \n in double quotes. A key that is not
// a valid name and a value with a carriage return are errors.
func EncodeEnv(values map[string]string) ([]byte, error) {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(values)) {
		v := values[key]
		switch {
		case !envKey.MatchString(key):
			return nil, fmt.Errorf("encode %q: not a valid variable name", key)
		case strings.Contains(v, "\r") || !utf8.ValidString(v):
			return nil, fmt.Errorf("encode %s: value has a carriage return or is not UTF-8", key)
		case strings.ContainsAny(v, "'\n"):
			v = `"` + escape.Replace(v) + `"`
		case !plainValue.MatchString(v):
			v = "'" + v + "'"
		}
		fmt.Fprintf(&b, "%s=%s\n", key, v)
	}
	return b.Bytes(), nil
}
