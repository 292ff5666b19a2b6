package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/spec"
)

// part is what a file says of the knobs: it stands between two lines that mark it.
type part struct {
	begin, end string
	write      func([]spec.Field) string
}

var (
	readme  = part{"<!-- knobs:begin, written by `make generate` -->\n", "<!-- knobs:end -->\n", table}
	compose = part{"      # knobs:begin, written by `make generate`\n", "      # knobs:end\n", environment}
)

// refresh replaces what stands between the markers of a page.
func (p part) refresh(page string) (string, error) {
	before, rest, found := strings.Cut(page, p.begin)
	_, after, ended := strings.Cut(rest, p.end)
	if !found || !ended {
		return "", fmt.Errorf("find the lines %q and %q: not there in this order", strings.TrimSpace(p.begin),
			strings.TrimSpace(p.end))
	}
	return before + p.begin + p.write(spec.Fields()) + p.end + after, nil
}

// environment hands every knob of a person on to the headless container: by its own name, a secret as a file.
func environment(fields []spec.Field) string {
	// the image's, and the controller's
	others := []string{"EXCHANGE_DIR", "STATE_DIR", "MATOMO_READ_TOKEN", "LOADGEN_ENV_FILE", "START_ID"}
	defaults := map[string]string{"TELEMETRY_ADDR": ":8010"}
	var b strings.Builder
	for _, f := range fields {
		switch {
		case slices.Contains(others, f.Key):
		case f.Secret:
			fmt.Fprintf(&b, "      %s%s: /run/secrets/%s\n", f.Key, spec.FileSuffix, strings.ToLower(f.Key))
		default:
			fmt.Fprintf(&b, "      %s: ${%s:-%s}\n", f.Key, f.Key, defaults[f.Key])
		}
	}
	return b.String()
}

// table is one Markdown table for each group of knobs, in the order of their declaration.
func table(fields []spec.Field) string {
	var b strings.Builder
	group := ""
	for _, f := range fields {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n**%s**\n\n| setting | default | values | meaning |\n|---|---|---|---|\n", group)
		}
		help := f.Help
		if f.Secret {
			help += " Secret; can be given by file as `" + f.Key + spec.FileSuffix + "`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Key, code(f.Default), cell(values(f)), cell(help))
	}
	return b.String() + "\n"
}

// values tells what may be written: the words, or the kind of value with its unit and its bounds.
func values(f spec.Field) string {
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
