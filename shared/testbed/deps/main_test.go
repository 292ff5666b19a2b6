package main

import (
	"strings"
	"testing"
)

func TestANewArrowOrModuleIsALineOfThePage(t *testing.T) {
	t.Parallel()
	other := func(path, module string) list {
		return list{ImportPath: path, Module: &struct{ Path, Version string }{module, "v1.2.3"}}
	}
	packages := map[string]list{
		own + "loadgen": {ImportPath: own + "loadgen", Imports: []string{own + "loadgen/internal/run"}},
		own + "loadgen/internal/run": {
			ImportPath: own + "loadgen/internal/run",
			Imports:    []string{"fmt", own + "shared/b", own + "loadgen/internal/a", "x.test/m/p"},
		},
		own + "shared/b": {
			ImportPath: own + "shared/b",
			Module:     &struct{ Path, Version string }{own + "shared", ""},
		},
		own + "loadgenerator": {ImportPath: own + "loadgenerator"},
		"x.test/m/p":          other("x.test/m/p", "x.test/m"),
		"y.test/unused":       other("y.test/unused", "y.test/unused"),
	}
	var b strings.Builder
	if err := write(&b, packages, func(list) (int, error) { return 7, nil }); err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(b.String(), "\n\n")
	want := `shared: 1 packages, 7 lines
  b                                      7

loadgen: 2 packages, 14 lines
  .                                      7  run
  internal/run                           7  a shared/b

controller: 0 packages, 0 lines


bin/loadgen: 1 modules
  x.test/m v1.2.3

bin/controller: 0 modules
`
	if page != want {
		t.Errorf("got\n%s\nwant\n%s", page, want)
	}
}
