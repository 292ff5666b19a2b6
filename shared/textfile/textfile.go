// Package textfile owns how a text file is read, whatever wrote it: its encoding, and the characters in it that nobody
// sees. Every reader of a format and of a secret begins with Decode; what the text means is theirs.
package textfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// What is wrong with a file that is no text.
var (
	// ErrNotText: it holds null bytes, as pictures, archives and UTF-32 do.
	ErrNotText = errors.New("is not a text file")
	// ErrEncoding: it is text of an encoding that nothing in it names.
	ErrEncoding = errors.New("is not UTF-8")
)

// Cure says what to do about an error of Decode.
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
	guessedFrom = 64 // bytes that are looked at where UTF-16 has no mark
)

// Decode is data in UTF-8, without a byte order mark. It reads UTF-8 and UTF-16 of either byte order, with or without
// the mark. An error is ErrNotText or ErrEncoding; where it is ErrEncoding, InvalidLine finds the place.
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

// TryDecode is Decode for a reader that judges data itself: what is no text is given back as it is.
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

// guess is the byte order of UTF-16 without a mark, nil for all else: in the languages that settings are written in,
// every second byte is null.
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

// InvalidLine is the line, counted from 1, of the first byte that is not UTF-8.
func InvalidLine(data []byte) int {
	at := 0
	for at < len(data) {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return 1 + bytes.Count(data[:at], []byte("\n"))
}

// Truncate is text in at most limit bytes, never with a part of a character.
func Truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
