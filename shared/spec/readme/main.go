// Command readme writes the table of knobs into the README, between its two markers. It owns the form of the table;
// what a knob means is told by package spec alone. Its tests keep README, presets and compose file in step with the
// knobs.
package main

import (
	"fmt"
	"os"
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
