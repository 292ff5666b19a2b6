package statedir_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/statedir"
)

var october = time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)

// folder is a state folder with these files, each of which holds its own name.
func folder(t *testing.T, files ...string) afero.Fs {
	t.Helper()
	fsys := afero.NewMemMapFs()
	for _, name := range files {
		if err := afero.WriteFile(fsys, "/s/"+name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fsys
}

func TestALedgerIsFoundWhereverItLies(t *testing.T) {
	t.Parallel()
	ended := statedir.EndedFile("a", october)
	for want, fsys := range map[string]afero.Fs{
		"a.json": folder(t, "a.json", ended),
		ended:    folder(t, "ab.json", "ended/2026-09/b.json", ended, "ended/2026-11/a/0.json"),
		"":       folder(t, "ab.json", "a.lock", "jobs/a/a.json"),
	} {
		data, err := statedir.Read(fsys, "/s", "a")
		if string(data) != want || (want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %q, %v, want %q", data, err, want)
		}
	}
}

// moving is a folder out of which the ledger is moved as soon as it was found.
type moving struct{ afero.Fs }

func (m moving) OpenFile(name string, flag int, mode fs.FileMode) (afero.File, error) {
	if name == "/s/a.json" {
		if err := m.MkdirAll("/s/ended/2026-10", 0o700); err != nil {
			return nil, err
		}
		if err := m.Rename(name, "/s/"+statedir.EndedFile("a", october)); err != nil {
			return nil, err
		}
	}
	return m.Fs.OpenFile(name, flag, mode)
}

func TestALedgerThatIsMovedMeanwhileIsFound(t *testing.T) {
	t.Parallel()
	if data, err := statedir.Read(moving{folder(t, "a.json")}, "/s", "a"); err != nil || string(data) != "a.json" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestTheLivesOfARunAreItsOwn(t *testing.T) {
	t.Parallel()
	fsys := folder(t, "a.json", "a.20261101T000000.json", "ab.20261101T000000.json", statedir.LifeFile("a", 0, october),
		"ended/2026-11/a/7.json", "ended/2026-11/a/7.tmp", "ended/2026-11/b/9.json", "ended/2026-11/a.json")
	got, err := statedir.Lives(fsys, "/s", "a")
	slices.Sort(got)
	if want := []string{"/s/a.20261101T000000.json", "/s/ended/2026-10/a/0.json",
		"/s/ended/2026-11/a/7.json"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
