package main

import (
	"fmt"
	"strings"

	"github.com/puttrix/trafficinator/shared/spec"
)

// The markers around the table; what stands between them is replaced.
const (
	begin = "<!-- knobs:begin, written by `make generate` -->\n"
	end   = "<!-- knobs:end -->\n"
)

// refresh replaces what stands between the markers of a page by the table of knobs.
func refresh(page string) (string, error) {
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("find the lines %q and %q: not there in this order", strings.TrimSpace(begin),
			strings.TrimSpace(end))
	}
	return before + begin + table(spec.Fields()) + end + after, nil
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
