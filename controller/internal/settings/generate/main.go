// Command generate writes the settings of both programs into docs/configuration.md, the compose file and the interface,
// each part between its two markers. Its tests check that page, presets and compose files match the settings.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/spec"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: generate configuration.md docker-compose.yml settings.ts")
		os.Exit(2)
	}
	if err := errors.Join(knobs.rewrite(os.Args[1]), own.rewrite(os.Args[1]), compose.rewrite(os.Args[2]),
		web.rewrite(os.Args[3])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p part) rewrite(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	fresh, err := p.refresh(string(page))
	if err != nil {
		return fmt.Errorf("refresh %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// part is a generated part of a file, between two marker lines.
type part struct {
	begin, end string
	fields     []envspec.Field
	write      func([]envspec.Field) string
}

// The parts: the loadgen's settings in docs/configuration.md, in the compose file and in the interface,
// and the controller's own in docs/configuration.md.
var (
	knobs   = part{"<!-- knobs:begin" + written + " -->\n", "<!-- knobs:end -->\n", spec.Fields(), table}
	compose = part{"      # knobs:begin" + written + "\n", "      # knobs:end\n", spec.Fields(), environment}
	web     = part{"// settings:begin" + written + "\n", "// settings:end\n", spec.Fields(), typescript}
	own     = part{"<!-- controller settings:begin" + written + " -->\n", "<!-- controller settings:end -->\n",
		settings.Fields(), table}
)

const written = ", written by `make generate`"

// refresh replaces the part between the markers of a page.
func (p part) refresh(page string) (string, error) {
	before, rest, found := strings.Cut(page, p.begin)
	_, after, ended := strings.Cut(rest, p.end)
	if !found || !ended {
		return "", fmt.Errorf("find the lines %q and %q: not there in this order", strings.TrimSpace(p.begin),
			strings.TrimSpace(p.end))
	}
	return before + p.begin + p.write(p.fields) + p.end + after, nil
}

// environment passes every setting of users to the headless container: by its own name, a secret as a file.
func environment(fields []envspec.Field) string {
	// the image's, and the controller's
	others := []string{"EXCHANGE_DIR", "STATE_DIR", "MATOMO_READ_TOKEN", "LOADGEN_ENV_FILE", "START_ID"}
	defaults := map[string]string{"TELEMETRY_ADDR": ":8010"}
	var b strings.Builder
	for _, f := range fields {
		switch {
		case slices.Contains(others, f.Key):
		case f.Secret:
			fmt.Fprintf(&b, "      %s%s: /run/secrets/%s\n", f.Key, envspec.FileSuffix, strings.ToLower(f.Key))
		default:
			fmt.Fprintf(&b, "      %s: ${%s:-%s}\n", f.Key, f.Key, defaults[f.Key])
		}
	}
	return b.String()
}

// typescript declares the names of settings in the interface, and the settings that each widget of its pages edits.
func typescript(fields []envspec.Field) string {
	var names, keys strings.Builder
	byWidget := map[envspec.Widget][]string{}
	for _, f := range fields {
		if f.Name != "" {
			fmt.Fprintf(&names, "  %s: '%s',\n", f.Key, f.Name)
			byWidget[f.Widget] = append(byWidget[f.Widget], "'"+f.Key+"'")
		}
	}
	for _, widget := range slices.Sorted(maps.Keys(byWidget)) {
		if list := byWidget[widget]; envspec.IsDerived(widget) {
			continue
		} else if len(list) == 1 {
			fmt.Fprintf(&keys, "  %s: %s,\n", widget, list[0])
		} else {
			fmt.Fprintf(&keys, "  %s: [%s],\n", widget, strings.Join(list, ", "))
		}
	}
	return "export const names: Record<string, string> = {\n" + names.String() +
		"}\n\nexport const keys = {\n" + keys.String() + "} as const\n"
}

// table returns one Markdown table for each group of settings, in the order of their declaration.
func table(fields []envspec.Field) string {
	var b strings.Builder
	for i, f := range fields {
		if i == 0 || f.Group != fields[i-1].Group {
			if f.Group != "" {
				fmt.Fprintf(&b, "\n**%s**\n", f.Group)
			}
			b.WriteString("\n| setting | default | values | meaning |\n|---|---|---|---|\n")
		}
		help := f.Help
		if f.Secret {
			help += " Secret; can be given by file as `" + f.Key + envspec.FileSuffix + "`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Key, code(f.Default), cell(values(f)), cell(help))
	}
	return b.String() + "\n"
}

// values describes valid values: the words, or the kind of value with its unit and its bounds.
func values(f envspec.Field) string {
	if len(f.OneOf) > 0 {
		return strings.Join(f.OneOf, ", ")
	}
	v := string(f.Kind)
	if f.Unit != "" {
		v += ", " + f.Unit
	}
	switch {
	case f.Min != "" && f.Max != "":
		v += ", " + f.Min + " to " + f.Max
	case f.Min != "":
		v += ", from " + f.Min
	case f.Max != "":
		v += ", up to " + f.Max
	}
	return v
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// cell keeps a text inside its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
