package answer

import (
	"bytes"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// mostRead of a text is looked at for its first words, in bytes: a page's title stands early.
	mostRead = 4 << 10
	// mostQuoted is the longest quotation, in bytes.
	mostQuoted = 160
	// tokenLength is that of Matomo's tokens, in hexadecimal digits.
	tokenLength = 32
	mask        = "***MASKED***"
)

// words are the first words of a text, of HTML without tags, scripts and styles. Tokens are masked, characters that
// cannot be seen are replaced, and "…" ends what was cut.
func (r *Raw) words(text []byte) string { return r.quote(text, false) }

// quote are the words of a text; cut says that there was more of it.
func (r *Raw) quote(text []byte, cut bool) string {
	if len(text) > mostRead {
		text, cut = text[:mostRead], true
	}
	said := html.UnescapeString(string(withoutTags(text)))
	said = mapVisible(said)
	for _, secret := range r.Secrets {
		said = strings.ReplaceAll(said, secret, mask)
	}
	said = maskTokens(said)
	if len(said) > mostQuoted {
		end := mostQuoted
		for end > 0 && !utf8.RuneStart(said[end]) {
			end--
		}
		said, cut = said[:end], true
	}
	if cut {
		said += "…"
	}
	return said
}

// Excerpt are the first words of a text, as they are quoted from an answer.
func Excerpt(text string) string { return (&Raw{}).words([]byte(text)) }

// withoutTags is a text with a space for each tag, without what is between the tags of scripts and styles.
func withoutTags(text []byte) []byte {
	var out []byte
	for {
		before, tag, found := bytes.Cut(text, []byte("<"))
		out = append(out, before...)
		if !found {
			return out
		}
		end := bytes.IndexByte(tag, '>')
		switch {
		case end < 0 && isTag(tag):
			return out
		case !isTag(tag):
			out, text = append(out, '<'), tag
			continue
		}
		out, text = append(out, ' '), tag[end+1:]
		for _, name := range []string{"script", "style"} {
			if len(tag) >= len(name) && strings.EqualFold(string(tag[:len(name)]), name) {
				_, text, _ = bytes.Cut(text, []byte("</"))
				_, text, _ = bytes.Cut(text, []byte(">"))
			}
		}
	}
}

// isTag says that a tag follows a "<", or a comment.
func isTag(after []byte) bool {
	return len(after) > 0 && (after[0] == '/' || after[0] == '!' || after[0] == '?' || 'a' <= after[0]|0x20 &&
		after[0]|0x20 <= 'z')
}

// mapVisible is a text in one line, with one space between words, in which characters that cannot be seen can be.
func mapVisible(text string) string {
	var b strings.Builder
	for _, word := range strings.Fields(text) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		for _, c := range word {
			switch {
			case c == '\ufeff':
				b.WriteString("(byte order mark)")
			case !unicode.IsPrint(c):
				b.WriteRune(utf8.RuneError)
			default:
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}

// maskTokens masks what may be a token: the value of token_auth, and any run of as many hexadecimal digits.
func maskTokens(text string) string {
	const name = "token_auth"
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, name)
		b.WriteString(maskHex(before))
		if !found {
			return b.String()
		}
		value := strings.TrimLeft(after, `"':= `)
		b.WriteString(name + after[:len(after)-len(value)])
		end := strings.IndexFunc(value, func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '%'
		})
		if end < 0 {
			end = len(value)
		}
		if end > 0 && len(value) < len(after) {
			b.WriteString(mask)
			value = value[end:]
		}
		text = value
	}
}

func maskHex(text string) string {
	var b strings.Builder
	from := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isHex(text[i]) {
			continue
		}
		if i-from >= tokenLength {
			b.WriteString(mask)
		} else {
			b.WriteString(text[from:i])
		}
		if i < len(text) {
			b.WriteByte(text[i])
		}
		from = i + 1
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
