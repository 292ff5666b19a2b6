// Package textfile decodes text files of any encoding and finds invisible characters.
package textfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Errors of Decode.
var (
	ErrNotText  = errors.New("is not a text file") // contains null bytes, like pictures, archives and UTF-32
	ErrEncoding = errors.New("is not UTF-8")       // is text of an unknown encoding
)

// Cure returns the cure for an error of Decode.
func Cure(err error) string {
	if errors.Is(err, ErrNotText) {
		return "use a text file"
	}
	return "save the file as UTF-8"
}

const (
	markUTF8    = "\xef\xbb\xbf"
	markLittle  = "\xff\xfe"
	markBig     = "\xfe\xff"
	guessedFrom = 64 // bytes, for UTF-16 without a mark
)

// Decode converts UTF-8 and UTF-16 of either byte order, with or without a byte order mark, to UTF-8 without one. The
// error is ErrNotText or ErrEncoding; InvalidLine finds the place of the latter.
func Decode(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte(markUTF8)):
		data = data[len(markUTF8):]
	case bytes.HasPrefix(data, []byte(markLittle)):
		return fromUTF16(data[len(markLittle):], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte(markBig)):
		return fromUTF16(data[len(markBig):], binary.BigEndian)
	default:
		if order := guess(data); order != nil {
			return fromUTF16(data, order)
		}
	}
	switch {
	case bytes.IndexByte(data, 0) >= 0:
		return nil, ErrNotText
	case !utf8.Valid(data):
		return nil, ErrEncoding
	}
	return data, nil
}

// TryDecode is Decode for a reader with its own checks: it returns invalid data unchanged.
func TryDecode(data []byte) []byte {
	if text, err := Decode(data); err == nil {
		return text
	}
	return data
}

func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, ErrNotText
	}
	out := make([]byte, 0, len(data)/2)
	for i := 0; i < len(data); i += 2 {
		r := rune(order.Uint16(data[i:]))
		if utf16.IsSurrogate(r) && i+3 < len(data) {
			r = utf16.DecodeRune(r, rune(order.Uint16(data[i+2:])))
			i += 2
		}
		if r == 0 || r == utf8.RuneError || utf16.IsSurrogate(r) {
			return nil, ErrNotText
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}

// guess returns the byte order of UTF-16 without a mark, by the null bytes of Western texts, or nil.
func guess(data []byte) binary.ByteOrder {
	if len(data) < 4 || len(data)%2 != 0 {
		return nil
	}
	nulls := [2]int{}
	first := data[:min(len(data), guessedFrom)]
	for i, b := range first {
		if b == 0 {
			nulls[i%2]++
		}
	}
	switch most := len(first) * 3 / 8; { // three of four characters
	case nulls[0] == 0 && nulls[1] >= most:
		return binary.LittleEndian
	case nulls[1] == 0 && nulls[0] >= most:
		return binary.BigEndian
	}
	return nil
}

// InvalidLine returns the line, from 1, of the first byte that is not UTF-8.
func InvalidLine(data []byte) int {
	valid := bytes.ToValidUTF8(data, []byte{0xff})
	at := 0
	for at < len(data) && data[at] == valid[at] && data[at] != 0xff {
		at++
	}
	return 1 + bytes.Count(data[:at], []byte("\n"))
}

// Truncate cuts text to limit bytes, without a partial character.
func Truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// SpecialRune is a character that is invisible, or looks like a plain space.
type SpecialRune struct {
	Rune rune
	At   int // its place in the text, counted in characters from 1
}

// String describes it: "a no-break space (U+00A0) at position 5".
func (o SpecialRune) String() string {
	return fmt.Sprintf("%s (U+%04X) at position %d", kind(o.Rune), o.Rune, o.At)
}

// FindSpecial finds the first special character of text. Plain spaces, tabs and line ends are not special.
func FindSpecial(text string) (SpecialRune, bool) { return find(text, isSpecial) }

// FindInvisible is FindSpecial without typographic spaces and the joiners of emoji and some scripts.
func FindInvisible(text string) (SpecialRune, bool) {
	return find(text, func(r rune) bool {
		return isSpecial(r) && !unicode.Is(unicode.Zs, r) && r != '\u200c' && r != '\u200d'
	})
}

// FindInvisibleInLine is FindInvisible for a single line, such as a name: tabs and line ends are special there.
func FindInvisibleInLine(text string) (SpecialRune, bool) {
	if odd, found := FindInvisible(text); found {
		return odd, true
	}
	return find(text, unicode.IsControl)
}

func find(text string, is func(rune) bool) (SpecialRune, bool) {
	at := 0
	for _, r := range text {
		at++
		if is(r) {
			return SpecialRune{r, at}, true
		}
	}
	return SpecialRune{}, false
}

func isSpecial(r rune) bool {
	switch {
	case r == ' ', r == '\t', r == '\n', r == '\r':
		return false
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case names[r] != "":
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp)
}

// names are those of frequent characters in copies from web pages, spreadsheets and word processors.
var names = map[rune]string{
	0x7f: "a delete character", 0xa0: "a no-break space", 0xad: "a soft hyphen",
	0x200b: "a zero-width space", 0x200c: "a zero-width non-joiner", 0x200d: "a zero-width joiner",
	0x200e: "a left-to-right mark", 0x200f: "a right-to-left mark", 0x202f: "a narrow no-break space",
	0x2060: "a word joiner", 0x2800: "an empty Braille pattern", 0x3000: "an ideographic space",
	0x3164: "a Hangul filler", 0xfeff: "a byte order mark", utf8.RuneError: "a replacement character",
}

func kind(r rune) string {
	switch {
	case names[r] != "":
		return names[r]
	case unicode.Is(unicode.Zs, r):
		return "a special space"
	case unicode.Is(unicode.Cc, r):
		return "a control character"
	}
	return "an invisible character"
}
