package matomotext_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/matomotext"
)

func TestTextsAreCutBetweenCharactersAndEscapes(t *testing.T) {
	t.Parallel()
	begin := strings.Repeat("a", 1022)
	for in, want := range map[string]string{
		begin + "é": begin + "é", begin + "aé": begin + "a", begin + "ab%C3": begin + "ab", begin + "%C3": begin,
		begin + "a%C3":          begin + "a",
		begin[:1019] + "%C3%A9": begin[:1019] + "%C3", begin + "%C": begin + "%C",
	} {
		if got := matomotext.TruncateURL(in); got != want {
			t.Errorf("…%s becomes …%s, want …%s", in[1010:], got[1010:], want[1010:])
		}
	}
	if got := matomotext.Truncate(begin + "%C3"); got != begin+"%C" {
		t.Errorf("a title has no escapes: …%s", got[1010:])
	}
}

func TestWhatIsRecordedOtherwise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "lamp": "", "00": "", "Prix\u00a0: 3": "",
		"0":                      "is not recorded, because Matomo treats it as empty",
		" 0\n":                   "is not recorded, because Matomo treats it as empty",
		"\t":                     "is not recorded, because Matomo treats it as empty",
		"a\u200bb":               "has a zero-width space (U+200B) at position 2",
		strings.Repeat("é", 100): "", strings.Repeat("é", 101): "is truncated at 200 bytes, as in Matomo",
	} {
		if got, _ := matomotext.Check(text, matomotext.MaxCategory); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
