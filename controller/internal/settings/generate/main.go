// Command readme writes what docs/configuration.md, the compose file and the interface say of the settings of both
// programs, each part between its two markers. It owns the form; what a setting means is written where it is declared.
// Its tests keep the page, presets and compose files in step with the settings.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: readme configuration.md docker-compose.yml settings.ts")
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
