package backfill

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/answer"
)

const path = "/state/r.batches"

func reopen(t *testing.T, fsys afero.Fs) (*Journal, *Header) {
	t.Helper()
	j := &Journal{}
	h, err := j.Open(fsys, path)
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

// nth is the nth batch of ten visits.
func nth(n uint64) span { return span{From: 10 * n, Visits: 10} }

func TestAJournalRecordsWhatMayHaveBeenSent(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	j, h := reopen(t, fsys)
	if h != nil {
		t.Fatalf("a new journal has the header %+v", h)
	}
	head := Header{RunID: "r", Seed: 7, Plan: "abc", Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	taken := batchResult{Answer: answer.Answer{Receipt: answer.Receipt{Tracked: 90, Invalid: 10, Indices: []int{4}}},
		Latency: time.Second}
	refused := batchResult{Answer: answer.Answer{Class: answer.Rejected, Receipt: answer.Receipt{Invalid: 100}},
		Latency: time.Second}
	large := batchResult{Answer: answer.Answer{Class: answer.TooLarge}}
	must(t, j.Begin(head), j.sending(nth(1)), j.sending(nth(0)), j.ended(nth(0), taken), j.sending(nth(2)),
		j.requeued(nth(2)), j.sending(nth(3)), j.ended(nth(3), refused), j.sending(nth(4)), j.ended(nth(4), large),
		j.sending(span{Target: 1, From: 5, Visits: 1}), j.Close())

	j, h = reopen(t, fsys)
	head.Version = version
	if h == nil || *h != head {
		t.Errorf("the header reads back as %+v, want %+v", h, head)
	}
	// Sent again are the batch that was requeued, the one of which Matomo stored nothing, and the one that was too
	// large.
	known := j.known(2)
	if len(known[0]) != 2 || known[0][0].span != nth(0) || known[0][1].span != nth(1) ||
		known[0][1].Class != answer.Broken {
		t.Fatalf("found %+v", known[0])
	}
	if a := known[0][0]; a.Latency != time.Second || a.Receipt.Tracked != 90 || len(a.Receipt.Indices) != 1 {
		t.Errorf("the first reads back as %+v", a)
	}
	if of := known[1]; len(of) != 1 || of[0].From != 5 {
		t.Errorf("of the other target %+v", of)
	}
}

func TestAJournalWithACutOffLastLineIsRepaired(t *testing.T) {
	t.Parallel()
	disk := afero.NewMemMapFs()
	j, _ := reopen(t, disk)
	must(
		t,
		j.Begin(Header{RunID: "r"}),
		j.sending(nth(0)),
		j.ended(nth(0), batchResult{}),
		j.sending(nth(1)),
		j.Close(),
	)
	text, err := afero.ReadFile(disk, path)
	must(t, err)
	for cut := range len(text) {
		fsys := afero.NewMemMapFs()
		must(t, afero.WriteFile(fsys, path, text[:cut], 0o600))
		j, h := reopen(t, fsys)
		if lines := strings.Count(string(text[:cut]), "\n"); (h != nil) != (lines > 0) || h == nil &&
			len(j.batches) > 0 {
			t.Fatalf("cut after %d bytes: header %v, %d batches", cut, h, len(j.batches))
		}
		if h == nil {
			must(t, j.Begin(Header{RunID: "r"}))
		}
		must(t, j.sending(nth(9)), j.Close())
		if j, _ = reopen(t, fsys); j.batches[nth(9)].Class != answer.Broken {
			t.Fatalf("cut after %d bytes: what is written afterwards is lost", cut)
		}
	}
}

func TestAnInvalidJournalIsRejected(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no header":   `{"send":{"from":1,"visits":1}}` + "\n",
		"two headers": strings.Repeat(`{"job":{"version":2}}`+"\n", 2),
		"not JSON":    "hello\n",
		"no class": `{"job":{"version":2}}` + "\n" +
			`{"end":{"from":1,"visits":1},"answer":{"class":"lost"}}` + "\n",
		"another version": `{"job":{"run_id":"r"}}` + "\n" + `{"send":3}` + "\n",
	} {
		fsys := afero.NewMemMapFs()
		must(t, afero.WriteFile(fsys, path, []byte(text), 0o600))
		if _, err := new(Journal).Open(fsys, path); err == nil || !strings.Contains(err.Error(), path) {
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

func TestNothingIsWrittenAfterHalfALine(t *testing.T) {
	t.Parallel()
	disk := &full{afero.NewMemMapFs(), 160}
	j, _ := reopen(t, disk)
	must(t, j.Begin(Header{RunID: "r"}))
	n := uint64(0)
	for j.sending(nth(n)) == nil {
		n++
	}
	disk.room = 1000
	if err := j.sending(nth(n)); err == nil {
		t.Error("a line was added to half of one")
	}
	must(t, j.Close())
	if j, _ = reopen(t, disk.Fs); uint64(len(j.batches)) != n {
		t.Errorf("%d batches were written, %d read back", n, len(j.batches))
	}
}

// A journal edited by hand must not block a job.
func TestBatchesThatDoNotFitTheOrderAreIgnored(t *testing.T) {
	t.Parallel()
	q := batch{span: span{From: 10}, visits: make([]plannedVisit, 30)}
	for i := range q.visits {
		q.visits[i].hits = 1
	}
	known := []knownBatch{{span: span{From: 3, Visits: 5}}, {span: span{From: 12, Visits: 4}},
		{span: span{From: 14, Visits: 9}}, {span: span{From: 20, Visits: 1 << 40}}}
	var got []int
	for len(q.visits) > 0 {
		got = append(got, len(cut(&q, 100, &known).visits))
	}
	if want := []int{2, 4, 4, 20}; !slices.Equal(got, want) {
		t.Errorf("batches of %d visits, want %d", got, want)
	}
}
