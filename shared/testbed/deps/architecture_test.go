package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// named is a file of the architecture page, such as `run/launch.go:launch`, with a function that is declared there.
var named = regexp.MustCompile("`([\\w./-]+\\.(?:go|ts))(?::(\\w+))?`")

func TestTheArchitecturePageNamesWhatIsThere(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(testbed.Root(), "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := named.FindAllStringSubmatch(string(page), -1)
	if len(names) < 20 {
		t.Errorf("the page names %d files; want those of four flows", len(names))
	}
	for _, n := range names {
		if !declared(n[1], n[2]) {
			t.Errorf("%s names what is not there", n[0])
		}
	}
}

// declared reports whether one of the base folders of the page has the file with the function.
func declared(file, function string) bool {
	of := regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + function + `[(\[]`)
	for _, root := range []string{"controller/web/src", "controller/internal", "loadgen/internal", "shared", "."} {
		code, err := os.ReadFile(filepath.Join(testbed.Root(), root, file))
		if err == nil && (function == "" || of.Match(code)) {
			return true
		}
	}
	return false
}
