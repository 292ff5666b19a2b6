package exchange

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
)

// maxEnv is the largest file of settings, in bytes.
const maxEnv = 1 << 20

// plainValue needs no quotes.
var plainValue = regexp.MustCompile(`^[A-Za-z0-9_./:,@%+-]*$`)

var envKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ParseEnv reads KEY=value lines. `#` begins a comment at the start of a line or after a space; quotes around a
// value are dropped. name is what problems call the file.
func ParseEnv(name string, data []byte) (map[string]string, problem.List) {
	var problems problem.List
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(data) > maxEnv {
		problems.Refuse(name, "", "is larger than 1 MiB", "it holds settings, a line each")
		return nil, problems
	}
	values := map[string]string{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		where := fmt.Sprintf("%s line %d", name, number)
		line = strings.TrimSpace(line)
		switch key, value, ok := strings.Cut(line, "="); {
		case line == "" || line[0] == '#':
		case !utf8.ValidString(line):
			problems.Refuse(where, "", "is not UTF-8", "save the file as UTF-8")
		case !ok || !envKey.MatchString(strings.TrimSpace(key)):
			// The line may hold a secret, so it is not shown.
			problems.Refuse(where, "", "is not KEY=value", "write a setting or begin the line with #")
		default:
			key = strings.TrimSpace(key)
			if _, twice := values[key]; twice {
				problems.Refuse(where, key, "is set a second time", "keep one of the two")
			}
			values[key] = unquote(strings.TrimSpace(value))
		}
	}
	return values, problems
}

func unquote(v string) string {
	if v != "" && (v[0] == '"' || v[0] == '\'') {
		if inside, _, ok := strings.Cut(v[1:], v[:1]); ok {
			return inside
		}
		return v
	}
	if i := strings.Index(v, " #"); i >= 0 {
		v = v[:i]
	}
	if strings.HasPrefix(v, "#") {
		return ""
	}
	return strings.TrimSpace(v)
}

// EncodeEnv writes values as lines in the order of their keys. A value with a line break or both kinds of quotes
// cannot be written.
func EncodeEnv(values map[string]string) ([]byte, error) {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(values)) {
		v := values[key]
		quote := `"`
		if strings.Contains(v, quote) {
			quote = "'"
		}
		if strings.ContainsAny(v, "\r\n") || strings.Contains(v, quote) {
			return nil, fmt.Errorf("encode %s: its value has a line break or both kinds of quotes", key)
		}
		if plainValue.MatchString(v) {
			quote = ""
		}
		fmt.Fprintf(&b, "%s=%s%s%s\n", key, quote, v, quote)
	}
	return b.Bytes(), nil
}
