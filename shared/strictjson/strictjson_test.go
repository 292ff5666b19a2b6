package strictjson_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/strictjson"
)

func TestFaultsOfTheSyntaxNameTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"only spaces": {" \n", "x.json: is empty; write JSON or remove the file"},
		"100 MB":      {strings.Repeat("x", 100<<20), "x.json: is larger than 8 MiB; make it smaller"},
		"a trailing comma": {"[1,\n2,\n]",
			"x.json: line 3: is not valid JSON: invalid character ']' looking for beginning of value; fix the syntax"},
		"cut off": {"{\"a\":[1", "x.json: line 1: is not valid JSON: unexpected EOF; fix the syntax"},
		"a comment": {"[1] // one",
			"x.json: line 1: has data after the top-level value; remove what follows the last bracket"},
		"a bottomless pit": {strings.Repeat("[", 1<<20),
			"x.json: line 1: is not valid JSON: nested too deeply; fix the syntax"},
		"a picture": {"\x89PNG\x00", "x.json: is not a text file; use a text file"},
		"a raw line break": {"[\"a\nb\"]",
			"x.json: line 1: is not valid JSON: invalid character '\\n' in string literal; fix the syntax"},
		"Latin-1": {"[\n\"Caf\xe9\"]", "x.json: line 2: is not UTF-8; save the file as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			d := strictjson.Parse("x.json", []byte(c.in))
			if err := d.Problems.Err(); err == nil || err.Error() != c.want || d.Root != nil {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestJSONOfAnyEditorIsRead(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"\xff\xfe{\x00}\x00", "\xfe\xff\x00{\x00}", "\xef\xbb\xbf{}", "{\x00}\x00"} {
		if d := strictjson.Parse("x.json", []byte(data)); d.Problems != nil || d.Root == nil || !d.Root.Object() {
			t.Errorf("%q: %v", data, d.Problems)
		}
	}
}

func TestAKeyIsShownShortAndOnOneLine(t *testing.T) {
	d := strictjson.Parse("x.json", []byte(`{"a\nb":1,"a.b.c":2,"`+strings.Repeat("k", 1000)+`":3}`))
	d.Root.Object("a")
	want := `x.json: "a\nb": is not a known key; use one of a` + "\n" +
		`x.json: "a.b.c": is not a known key; use one of a` +
		"\n" + `x.json: "` + strings.Repeat("k", 60) + `": is not a known key; use one of a`
	if got := d.Problems.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAfterAHundredProblemsTheRestIsNotReported(t *testing.T) {
	var in strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&in, `,"k%d":1`, i)
	}
	d := strictjson.Parse("x.json", []byte("{"+in.String()[1:]+"}"))
	d.Root.Object("a")
	if n := len(d.Problems); n != 101 ||
		d.Problems[100].String() != "x.json: has more problems; fix those above first" {
		t.Errorf("%d problems, the last: %v", n, d.Problems[n-1])
	}
}

func TestIntegersMayBeWrittenInAnyWay(t *testing.T) {
	d := strictjson.Parse("x.json", []byte(`{"a":1e2,"b":2.0,"c":2.5,"d":1e16,"e":null}`))
	for key, want := range map[string]int{"a": 100, "b": 2} {
		if got := d.Root.Int(key); got == nil || *got != want {
			t.Errorf("%s is %v, want %d", key, got, want)
		}
	}
	if d.Problems != nil {
		t.Error(d.Problems)
	}
	if d.Root.Int("c") != nil || d.Root.Int("d") != nil || d.Root.Int("e") != nil || len(d.Problems) != 2 {
		t.Errorf("got %v, want that c and d are no integers", d.Problems)
	}
}
