package backfill

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

const path = "/state/r.batches"

func reopen(t *testing.T, fsys afero.Fs) (*Journal, *Header) {
	t.Helper()
	j, h, err := OpenJournal(fsys, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, h
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAJournalTellsWhatMayHaveBeenSent(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	j, h := reopen(t, fsys)
	if h != nil {
		t.Fatalf("a new journal has the header %+v", h)
	}
	head := Header{RunID: "r", Seed: 7, Plan: "abc", Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	taken := ending{Answer: answer.Answer{Receipt: answer.Receipt{Tracked: 90, Invalid: 10, Indices: []int{4}}}, Latency: time.Second}
	refused := ending{Answer: answer.Answer{Class: answer.Rejected, Receipt: answer.Receipt{Invalid: 100}}, Latency: time.Second}
	must(t, j.Begin(head), j.send(0), j.end(0, taken), j.send(1), j.send(2), j.back(2), j.send(3), j.end(3, refused), j.Close())

	j, h = reopen(t, fsys)
	if h == nil || *h != head {
		t.Errorf("the header comes back as %+v, want %+v", h, head)
	}
	for n, want := range map[uint64]struct {
		known bool
		class answer.Class
	}{
		0: {true, answer.Accepted}, // ended
		1: {true, answer.Broken},   // on its way when the job was killed
		2: {},                      // surely not taken
		3: {},                      // all its hits were called invalid: none is stored
		4: {},                      // never sent
	} {
		a, known := j.find(&batch{number: n, hits: 100})
		if known != want.known || known && a.Class != want.class {
			t.Errorf("batch %d: known %t, %s; want %t, %s", n, known, a.Class, want.known, want.class)
		}
	}
	if a, _ := j.find(&batch{hits: 100}); a.Latency != time.Second || a.Receipt.Tracked != 90 || len(a.Receipt.Indices) != 1 {
		t.Errorf("batch 0 comes back as %+v", a)
	}
}

func TestAnUnknownBatchOfAJournalWithoutClassesStaysUnknown(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	text := `{"job":{"run_id":"r"}}` + "\n" + `{"send":3}` + "\n" + `{"end":3,"answer":{"outcome":"unknown","latency":5,"why":"answered 502"}}` + "\n"
	must(t, afero.WriteFile(fsys, path, []byte(text), 0o600))
	j, _ := reopen(t, fsys)
	if a, known := j.find(&batch{number: 3, hits: 100}); !known || a.Class.Outcome() != outcome.Unknown {
		t.Errorf("known %t, %s", known, a.Class)
	}
}

func TestAJournalWhoseLastLineIsCutOffGoesOn(t *testing.T) {
	t.Parallel()
	whole := afero.NewMemMapFs()
	j, _ := reopen(t, whole)
	must(t, j.Begin(Header{RunID: "r"}), j.send(0), j.end(0, ending{}), j.send(1), j.Close())
	text, err := afero.ReadFile(whole, path)
	must(t, err)
	for cut := range len(text) {
		fsys := afero.NewMemMapFs()
		must(t, afero.WriteFile(fsys, path, text[:cut], 0o600))
		j, h := reopen(t, fsys)
		if lines := strings.Count(string(text[:cut]), "\n"); (h != nil) != (lines > 0) || h == nil && len(j.batches) > 0 {
			t.Fatalf("cut after %d bytes: header %v, %d batches", cut, h, len(j.batches))
		}
		if h == nil {
			must(t, j.Begin(Header{RunID: "r"}))
		}
		must(t, j.send(9), j.Close())
		if j, _ = reopen(t, fsys); j.batches[9].Class != answer.Broken {
			t.Fatalf("cut after %d bytes: what is noted afterwards is lost", cut)
		}
	}
}

func TestWhatIsNoJournalIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no header":   "{\"send\":1}\n",
		"two headers": "{\"job\":{}}\n{\"job\":{}}\n",
		"not JSON":    "hello\n",
		"no class":    "{\"job\":{}}\n{\"end\":1,\"answer\":{\"class\":\"lost\"}}\n",
		"no outcome":  "{\"job\":{}}\n{\"end\":1,\"answer\":{\"outcome\":\"lost\"}}\n",
	} {
		fsys := afero.NewMemMapFs()
		must(t, afero.WriteFile(fsys, path, []byte(text), 0o600))
		if _, _, err := OpenJournal(fsys, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// full is a disk that fills up in the middle of a line.
type full struct {
	afero.Fs
	room int
}

func (d *full) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := d.Fs.OpenFile(name, flag, perm)
	return &fullFile{f, d}, err
}

type fullFile struct {
	afero.File
	disk *full
}

func (f *fullFile) Write(p []byte) (int, error) {
	n := min(len(p), f.disk.room)
	f.disk.room -= n
	n, err := f.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

func TestNothingIsNotedAfterHalfALine(t *testing.T) {
	t.Parallel()
	disk := &full{afero.NewMemMapFs(), 130}
	j, _ := reopen(t, disk)
	must(t, j.Begin(Header{RunID: "r"}))
	n := uint64(0)
	for j.send(n) == nil {
		n++
	}
	disk.room = 1000
	if err := j.send(n); err == nil {
		t.Error("a line was added to half of one")
	}
	must(t, j.Close())
	if j, _ = reopen(t, disk.Fs); uint64(len(j.batches)) != n {
		t.Errorf("%d batches were noted, %d come back", n, len(j.batches))
	}
}
