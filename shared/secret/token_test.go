package secret_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/secret"
)

func TestATokenHasAForm(t *testing.T) {
	t.Parallel()
	const good = "0123456789abcdef0123456789abcdef"
	for token, want := range map[string]string{
		good:                         "",
		"":                           "",
		"to-read_With7":              "",
		"\ufeff" + good:              "has a byte order mark (U+FEFF) at position 1",
		good[:16] + "\u200b":         "has a zero-width space (U+200B) at position 17",
		good + "\u00a0":              "has a no-break space (U+00A0) at position 33",
		good + "\n" + good:           "has 2 lines",
		"token_auth=" + good:         "contains token_auth",
		"&token_auth=" + good:        "contains token_auth",
		`"` + good + `"`:             "is in quotes",
		"'" + good:                   "is in quotes",
		"“" + good + "”":             "is in quotes",
		"two words":                  "has a space",
		good + "\n":                  "has a space",
		strings.Repeat("a", 3<<20):   "has 3145728 characters, too long for a Matomo token",
		good + "é":                   "has an invalid character at position 33",
		"a&b":                        "has an invalid character at position 2",
		secret.Mask:                  "is masked",
		string([]byte{'a', 'b', 0}):  "has a control character (U+0000) at position 3",
		string([]byte{'a', 0xe9, 0}): "has a replacement character (U+FFFD) at position 2",
	} {
		got := ""
		if err := secret.CheckToken(secret.String(token)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.40q: %q, want %q", token, got, want)
		}
	}
}
