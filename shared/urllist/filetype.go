package urllist

import (
	"regexp"
	"strings"
)

// looked is how many lines are looked at to tell what a file is.
const looked = 200

// otherKind says what a file is that is no list, and what to do about it; "" where it may be one.
func otherKind(text string) (what, cure string) {
	lines := sample(text)
	if len(lines) == 0 {
		return "", ""
	}
	const oneALine = "write one URL per line, with its title after a TAB"
	begin := strings.ToLower(strings.Join(lines[:min(len(lines), 10)], "\n"))
	switch {
	case begin[0] == '<' && (strings.Contains(begin, "<urlset") || strings.Contains(begin, "<sitemapindex")):
		return "is an XML sitemap", "write the URL of each <loc> on its own line"
	case strings.HasPrefix(begin, "<!doctype html"), strings.HasPrefix(begin, "<html"):
		return "is a web page", oneALine
	case begin[0] == '<':
		return "is XML", oneALine
	case begin[0] == '{', begin[0] == '[':
		return "is JSON", oneALine
	case isCSV(lines):
		return "is CSV, with commas or semicolons between URL and title",
			"separate them with a TAB: save as tab-delimited text"
	}
	return "", ""
}

// sample are the first lines that are neither blank nor comments.
func sample(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			if out = append(out, line); len(out) == looked {
				break
			}
		}
	}
	return out
}

var (
	quotedField = regexp.MustCompile(`^"https?://[^"]*"([,;]|$)`)
	// titled ends as no address does: with a quoted text, or with one that begins in upper case or holds a space, and
	// that has nothing of a path.
	titled = regexp.MustCompile(`^https?://[^\t]*[,;] ?("[^"]*"|\p{Lu}[^/.=&?%#,;]*|[^/.=&?%#,;]* [^/.=&?%#,;]*)$`)
)

// isCSV tells whether lines are rows of a table and not addresses with commas in them: no line has a TAB, all have a
// comma or semicolon behind the scheme, and half of them at least end with a title.
func isCSV(lines []string) bool {
	if head := lines[0]; len(lines) > 1 && !strings.Contains(head, "://") && strings.ContainsAny(head, ",;") {
		lines = lines[1:] // the names of the columns
	}
	titles := 0
	for _, line := range lines {
		switch {
		case quotedField.MatchString(line), titled.MatchString(line):
			titles++
		case strings.Contains(line, "\t"), !strings.ContainsAny(line, ",;"), !strings.HasPrefix(line, "http"):
			return false
		}
	}
	return 2*titles >= len(lines)
}
