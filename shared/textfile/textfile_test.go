package textfile_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/textfile"
)

func utf16Of(text string, order binary.AppendByteOrder) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

func TestEveryEncodingOfAnEditorIsRead(t *testing.T) {
	t.Parallel()
	const text = "https://a.test/café\tCafé 🙂\r\n"
	for name, data := range map[string][]byte{
		"UTF-8":                             []byte(text),
		"UTF-8 with a mark":                 []byte("\xef\xbb\xbf" + text),
		"UTF-16, little-endian":             utf16Of("\ufeff"+text, binary.LittleEndian),
		"UTF-16, big-endian":                utf16Of("\ufeff"+text, binary.BigEndian),
		"UTF-16, little-endian, unmarked":   utf16Of(text, binary.LittleEndian),
		"UTF-16, big-endian, without marks": utf16Of(text, binary.BigEndian),
	} {
		if got, err := textfile.Decode(data); err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"Latin-1":                {"caf\xe9", textfile.ErrEncoding},
		"a null":                 {"a\x00b", textfile.ErrNotText},
		"UTF-32":                 {"\xff\xfe\x00\x00a\x00\x00\x00", textfile.ErrNotText},
		"a picture":              {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", textfile.ErrNotText},
		"half a character":       {"\xff\xfea\x00b", textfile.ErrNotText},
		"half a surrogate pair":  {"\xff\xfe\x3d\xd8", textfile.ErrNotText},
		"a wrong surrogate pair": {"\xff\xfe\x3d\xd8\x3d\xd8", textfile.ErrNotText},
	} {
		if _, err := textfile.Decode([]byte(c.in)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestOddCharactersAreNamedWithTheirPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\u00a0b":         "a no-break space (U+00A0) at position 2",
		"é\u200b":          "a zero-width space (U+200B) at position 2",
		"\ufeffa":          "a byte order mark (U+FEFF) at position 1",
		"a\u2003b":         "a special space (U+2003) at position 2",
		"a\u2066b":         "an invisible character (U+2066) at position 2",
		"a\x07b":           "a control character (U+0007) at position 2",
		"\ufffd":           "a replacement character (U+FFFD) at position 1",
		"plain\ttext \r\n": "",
		"→ 20000 é 日本":     "",
	} {
		got := ""
		if odd, found := textfile.FindSpecial(text); found {
			got = odd.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, hidden := range map[string]bool{"Prix\u00a0: 3": false, "👨\u200d👩": false, "a\u200bb": true,
		"a\u00adb": true, "می\u200cخواهم": false} {
		if _, found := textfile.FindInvisible(text); found != hidden {
			t.Errorf("%q: hidden is %v", text, found)
		}
	}
}

func TestATextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{{"aé", 3, "aé"}, {"aé", 2, "a"}, {"é", 1, ""}, {"ab", 1, "a"}, {"🙂🙂", 7, "🙂"}} {
		if got := textfile.Truncate(c.in, c.limit); got != c.want {
			t.Errorf("%q at %d: %q", c.in, c.limit, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if got, err := textfile.Decode(in); err == nil && !utf8.Valid(got) {
			t.Fatalf("%q becomes %q", in, got)
		}
	})
}
