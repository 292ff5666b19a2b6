package textfile

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// SpecialRune is a character that cannot be seen, or that cannot be told from a plain space.
type SpecialRune struct {
	Rune rune
	// At is its place in the text, counted in characters from 1.
	At int
}

// String names it: "a no-break space (U+00A0) at position 5".
func (o SpecialRune) String() string {
	return fmt.Sprintf("%s (U+%04X) at position %d", kind(o.Rune), o.Rune, o.At)
}

// FindSpecial finds the first odd character of text. Plain spaces, tabs and line ends are not odd.
func FindSpecial(text string) (SpecialRune, bool) { return find(text, isOdd) }

// FindInvisible finds the first character of text that belongs into no text for people: an odd one, but for spaces that
// typesetting asks for, and for the joiners of emoji and of some scripts.
func FindInvisible(text string) (SpecialRune, bool) {
	return find(text, func(r rune) bool {
		return isOdd(r) && !unicode.Is(unicode.Zs, r) && r != '\u200c' && r != '\u200d'
	})
}

// FindInvisibleInLine is FindInvisible for a text of one line, such as a name: tabs and line ends do not belong there either.
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

func isOdd(r rune) bool {
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

// names are those of the characters that copies from web pages, spreadsheets and word processors are full of.
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
