package answer

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/textfile"
)

const (
	// maxRead and maxExcerpt are the maximum lengths of a text that is searched, and of an excerpt, in bytes.
	maxRead, maxExcerpt = 4 << 10, 160
	mask                = "***MASKED***"
)

// words returns the first words of a text, or of HTML without tags, scripts and styles. Tokens are masked, invisible
// characters replaced, and "…" marks a cut.
func (r *Raw) words(text []byte) string { return r.quote(text, false) }

func (r *Raw) quote(text []byte, cut bool) string {
	if len(text) > maxRead {
		text, cut = text[:maxRead], true
	}
	words := mapVisible(html.UnescapeString(string(withoutTags(text))))
	for _, secret := range r.Secrets {
		words = strings.ReplaceAll(words, secret, mask)
	}
	words = token.ReplaceAllString(words, "${1}"+mask)
	if short := textfile.Truncate(words, maxExcerpt); short != words {
		words, cut = short, true
	}
	if cut {
		words += "…"
	}
	return words
}

// token matches possible tokens: the value of token_auth, and 32 (as in Matomo's) or more hexadecimal digits.
var token = regexp.MustCompile("(?i:(token_auth[\"':= ]+)[\\pL\\p{Nd}_%]+|[0-9a-f]{32,})")

// Excerpt returns the first words of a text, like those of an answer.
func Excerpt(text string) string { return (&Raw{}).words([]byte(text)) }

// withoutTags replaces each tag by a space, and removes scripts and styles.
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

// isTag reports whether the text after a "<" is a tag or a comment.
func isTag(after []byte) bool {
	return len(after) > 0 && (after[0] == '/' || after[0] == '!' || after[0] == '?' || 'a' <= after[0]|0x20 &&
		after[0]|0x20 <= 'z')
}

// mapVisible puts a text on one line, with one space between words, and makes invisible characters visible.
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

// String describes the answer and its likely cause.
func (a *Answer) String() string {
	var parts []string
	for _, part := range []string{a.answered(), a.cause()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.Join(parts, ": ")
	if a.RetryAfter > 0 {
		text += ", retry after " + a.RetryAfter.Round(time.Second).String()
	}
	switch {
	case a.Excerpt == "":
		return text
	case text == "":
		return a.Excerpt
	}
	return fmt.Sprintf("%s: %q", text, a.Excerpt)
}

func (a *Answer) answered() string {
	server := ""
	if a.Server != "" {
		server = " (Server: " + a.Server + ")"
	}
	switch {
	case a.Status == 0:
		return ""
	case a.Class == Accepted && a.Malformed:
		return fmt.Sprintf("answered %d with additional text", a.Status)
	case a.Class == InFront:
		return fmt.Sprintf("something in front of Matomo answered %d%s", a.Status, server)
	default:
		return fmt.Sprintf("answered %d%s", a.Status, server)
	}
}

// causes are the causes of a class, by status; 0 stands for all others.
var causes = map[Class]map[int]string{
	NoReceipt: {0: "no receipt for a bulk request, a queue is active"},
	TooLarge:  {0: "the request is too large for the server"},
	NotNow: {
		http.StatusOK:                 "tracked none of the hits, tracking is disabled",
		http.StatusServiceUnavailable: "in maintenance or overloaded", 0: "temporarily unavailable",
	},
	Rejected: {
		http.StatusOK: "all hits are invalid: the token has no write access to the site, is a superuser's for secure " +
			"requests only, or the site does not exist",
		http.StatusBadRequest: "the token has no write access to the site, the site does not exist, or Matomo's " +
			"database is down",
	},
	Token:      {0: "the token is rejected"},
	RolledBack: {0: "the entire request was rolled back"},
	Unreadable: {http.StatusOK: "the response is not Matomo's; check the URL"},
	InFront:    {http.StatusNotFound: "not found"},
	Late:       {0: "too late"},
	Breaker:    {0: "its target was failing"},
	Standstill: {0: "this process was suspended"},
	Stopped:    {0: "the run was stopped"},
}

func (a *Answer) cause() string {
	switch {
	case a.Class == InFront && a.Status < 400:
		return "redirects are not followed"
	case a.Class == Rejected && a.Excerpt != "": // Matomo itself says why
		return ""
	}
	return cmp.Or(causes[a.Class][a.Status], causes[a.Class][0])
}
