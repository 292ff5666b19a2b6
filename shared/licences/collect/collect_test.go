package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// disk is a file system with these files.
func disk(t *testing.T, files map[string]string) afero.Fs {
	t.Helper()
	fsys := afero.NewMemMapFs()
	for name, text := range files {
		if err := afero.WriteFile(fsys, name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fsys
}

func TestEachTextStandsOnceBelowAllThatShareIt(t *testing.T) {
	fsys := disk(t, map[string]string{
		"/one/LICENSE": "free\r\nfor all\n", "/one/license.go": "package one", "/one/README": "no",
		"/two/Licence.md": "free\nfor all", "/two/NOTICE.txt": "by Two", "/two/inner/COPYING": "inner",
	})
	text, err := document(fsys,
		[]part{{"a.test/one v1", []string{"/one"}}, {"b.test/two v2", []string{"/two", "/two/inner"}}},
		"## a package of the page\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a.test/one v1\nb.test/two v2\n\nfree\nfor all\n", "b.test/two v2\n\nby Two\n",
		"b.test/two v2\n\ninner\n", "The user interface\n\n## a package of the page\n"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, text)
		}
	}
	if strings.Contains(text, "package one") || strings.Contains(text, "\nno\n") {
		t.Errorf("it holds what is no licence:\n%s", text)
	}
}

func TestAModuleWithoutALicenceStopsTheBuild(t *testing.T) {
	_, err := document(disk(t, map[string]string{"/bare/README": "no"}),
		[]part{{"a.test/bare v1", []string{"/bare"}}}, "")
	if err == nil || !strings.Contains(err.Error(), "a.test/bare v1") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsLinkedIsListedAndWhatOnlyTestsNeedIsNot(t *testing.T) {
	parts, err := linked("", []string{"github.com/puttrix/trafficinator/shared/..."})
	if err != nil {
		t.Fatal(err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(parts, func(p part) bool { return strings.HasPrefix(p.name, name) })
	}
	if !has("Go ") || !has("github.com/spf13/afero v") || has("github.com/puttrix") || has("pgregory.net/rapid") {
		t.Errorf("%v", parts)
	}
	if _, err := document(afero.NewOsFs(), parts, ""); err != nil {
		t.Error(err)
	}
}

func TestTheTextsAreWrittenOnceTheyDiffer(t *testing.T) {
	output := filepath.Join(t.TempDir(), "THIRD_PARTY.txt")
	programs := []string{"github.com/puttrix/trafficinator/shared/..."}
	if err := write(afero.NewOsFs(), output, filepath.Join(t.TempDir(), "none"), "", programs); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(output)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(afero.NewOsFs(), output, "", "", programs); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(output); err != nil || !os.SameFile(before, after) ||
		!after.ModTime().Equal(before.ModTime()) {
		t.Errorf("it was written again: %v", err)
	}
	if err := write(afero.NewOsFs(), filepath.Join(output, "x"), "", "", programs); err == nil {
		t.Error("a file that cannot be written is no error")
	}
}
