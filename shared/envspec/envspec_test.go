package envspec_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
)

type settings struct {
	Dir    string        `env:"SOME_DIR" envDefault:"./here"`
	Count  int           `env:"COUNT" envDefault:"3" min:"1" max:"9"`
	Token  secret.String `env:"TOKEN" secret:"true"`
	Names  []string      `env:"NAMES"`
	Wait   float64       `env:"WAIT" unit:"s" envDefault:"1"`
	Colour string        `env:"COLOUR" oneof:"red,green" envDefault:"red"`
	Unseen int
}

// What docker run --env-file hands on of a line is all that stands behind its first equals sign.
func TestQuotesAndCommentsOfAFileAreNoPartOfAValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ  map[string]string
		want     settings
		reported string
	}{
		"double quotes": {
			map[string]string{"SOME_DIR": `"/a b"`}, settings{Dir: "/a b"},
			`SOME_DIR: is in quotes, which were ignored; remove them: docker run --env-file keeps them as part of the value`,
		},
		"single quotes": {map[string]string{"COUNT": `'7'`}, settings{Count: 7}, `COUNT: is in quotes`},
		"quotes around a password": {map[string]string{"SOME_DIR": `"https://me:hush@h"`},
			settings{Dir: "https://me:hush@h"}, "SOME_DIR: is in quotes"},
		"quotes inside": {map[string]string{"SOME_DIR": `/a "b"`}, settings{Dir: `/a "b"`}, ""},
		"a comment": {map[string]string{"SOME_DIR": "/a # where"}, settings{},
			`SOME_DIR: contains a comment; move comments to their own line: docker run --env-file keeps them as part of the value`},
		"only a comment": {map[string]string{"SOME_DIR": "# where"}, settings{},
			`SOME_DIR: contains a comment`},
		"a number sign": {map[string]string{"SOME_DIR": "/a#b"}, settings{Dir: "/a#b"}, ""},
		"a quoted secret": {map[string]string{"TOKEN": `"hush"`}, settings{},
			`TOKEN: is in quotes; remove them`},
		"a secret with a number sign": {map[string]string{"TOKEN": `hush #1`}, settings{Token: "hush #1"}, ""},
		"an invisible character": {map[string]string{"COUNT": "7\u200b"}, settings{},
			"COUNT: has a zero-width space (U+200B) at position 2; type it instead"},
		"a no-break space at the end": {map[string]string{"COUNT": "7\u00a0"}, settings{Count: 7}, ""},
	} {
		var got settings
		var problems problem.List
		envspec.Parse(&got, c.environ, nil, &problems)
		if reported := problems.Error(); !strings.HasPrefix(reported, c.reported) ||
			c.reported == "" && reported != "" ||
			strings.Contains(reported, "hush") {
			t.Errorf("%s: reported %q, want %q", name, reported, c.reported)
		}
		if problems.Err() == nil &&
			(c.want.Dir != "" && got.Dir != c.want.Dir || c.want.Count != 0 && got.Count != c.want.Count ||
				got.Token != c.want.Token) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestASecretInAFileOfAnyEditorIsRead(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"hush\n": "", "\ufeffhush\r\n": "", "\xff\xfeh\x00u\x00s\x00h\x00": "", "h\x00u\x00s\x00h\x00\r\x00\n\x00": "",
		`"hush"`:      "TOKEN_FILE: names a file whose content is in quotes; remove the quotes",
		"caf\xe9":     "TOKEN_FILE: names a file that is not UTF-8; use a readable file that contains only the secret",
		"\x89PNG\x00": "TOKEN_FILE: names a file that is not a text file; use a readable file that contains only the secret",
	} {
		var got settings
		var problems problem.List
		p := envspec.Parse(&got, map[string]string{"TOKEN_FILE": "'/t'"}, func(path string) ([]byte, error) {
			if path != "/t" {
				t.Errorf("read %s", path)
			}
			return []byte(data), nil
		}, &problems)
		if reported := problems.Errors().
			Error(); reported != want ||
			want == "" && (got.Token != "hush" || !p.Set["TOKEN"]) {
			t.Errorf("%q: %q, %v, want %q", data, got.Token.Reveal(), problems, want)
		}
	}
}
