// Command readme writes the table of the controller's own settings into the README, between its two markers. What a
// setting means is told by package settings alone. Its tests keep README and compose file in step with the settings.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/settings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: readme README.md")
		os.Exit(2)
	}
	if err := rewrite(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rewrite(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	fresh, err := refresh(string(page))
	if err != nil {
		return fmt.Errorf("refresh %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// The markers around the table; what stands between them is replaced.
const (
	begin = "<!-- controller settings:begin, written by `make generate` -->\n"
	end   = "<!-- controller settings:end -->\n"
)

// refresh replaces what stands between the markers of a page by the table.
func refresh(page string) (string, error) {
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("find the lines %q and %q: not there in this order", strings.TrimSpace(begin),
			strings.TrimSpace(end))
	}
	return before + begin + table() + end + after, nil
}

func table() string {
	var b strings.Builder
	b.WriteString("\n| setting | default | meaning |\n|---|---|---|\n")
	for _, f := range settings.Fields() {
		value, help := "", f.Help
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		if len(f.OneOf) > 0 {
			help += " One of " + strings.Join(f.OneOf, ", ") + "."
		}
		if f.Min != "" {
			help += fmt.Sprintf(" %s to %s %s.", f.Min, f.Max, f.Unit)
		}
		if f.Secret {
			help += " Secret; can be given by file as `" + f.Key + settings.FileSuffix + "`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Key, value, strings.ReplaceAll(help, "|", `\|`))
	}
	return b.String() + "\n"
}
