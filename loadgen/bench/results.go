package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/spf13/afero"
)

const preface = `# Benchmark results

Written by ` + "`make bench`" + `; [README.md](README.md) explains the tables. Each section starts with the time and the
machine of its measurement.
`

// saveSection writes the section of a part to the file of results. It replaces an older one.
func saveSection(fsys afero.Fs, path string, p part, text string) error {
	old, err := afero.ReadFile(fsys, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read results: %w", err)
	}
	if err := afero.WriteFile(fsys, path, []byte(replaceSection(string(old), p.title, text)), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// replaceSection returns the results with a new text of one section, in the order of the parts.
func replaceSection(old, title, text string) string {
	sections := map[string]string{}
	for section := range strings.SplitSeq(old, "\n## ") {
		name, rest, _ := strings.Cut(section, "\n")
		sections[name] = strings.TrimSpace(rest)
	}
	sections[title] = strings.TrimSpace(text)
	all := preface
	for _, p := range parts() {
		if text, ok := sections[p.title]; ok {
			all += "\n## " + p.title + "\n\n" + text + "\n"
		}
	}
	return all
}

// markdownTable formats a table with aligned columns. The first row is its head.
func markdownTable(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			blank := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				out.WriteString("| " + cell + blank)
			} else {
				out.WriteString(" | " + blank + cell)
			}
		}
		out.WriteString(" |\n")
		if n == 0 {
			out.WriteString("|" + strings.Repeat("-", widths[0]+2))
			for _, w := range widths[1:] {
				out.WriteString("|" + strings.Repeat("-", w+1) + ":")
			}
			out.WriteString("|\n")
		}
	}
	return out.String()
}
