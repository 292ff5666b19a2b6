package backfill

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// version is that of journals whose batches are spans of visits. Before it they were numbered, and a job could not be
// resumed with requests of another size.
const version = 2

// Header is the first line of a journal: what the batches of a job follow from.
type Header struct {
	Version int    `json:"version"` // set by Begin
	RunID   string `json:"run_id"`
	Seed    uint64 `json:"seed"`
	// Plan is the hash of all that decides what is sent, but for seed and run id.
	Plan string `json:"plan"`
	// Now is when the job began, which decides what relative days are and how much of today is sent.
	Now time.Time `json:"now"`
}

// Journal tells which batches of a job may have been sent: before each request it notes that, and afterwards what
// became of it. What is noted outlives a kill. That a batch is on its way outlives a power cut too, and so does what
// became of it once another is sent: else it is unknown. The zero Journal keeps nothing.
type Journal struct {
	mu      sync.Mutex
	file    afero.File
	broken  error // why nothing can be noted any more
	batches map[span]batchResult
}

// line is one of a journal.
type line struct {
	Job *Header `json:"job,omitempty"`
	// Send notes that a batch is on its way, Back that it surely was not taken and may go again, End what became of it.
	Send   *span        `json:"send,omitempty"`
	Back   *span        `json:"back,omitempty"`
	End    *span        `json:"end,omitempty"`
	Answer *batchResult `json:"answer,omitempty"`
}

// batchResult is what became of a batch.
type batchResult struct {
	answer.Answer
	// Latency is 0 where no answer came while the job lived, and ledger.NoLatency where it stood still meanwhile.
	Latency time.Duration `json:"latency,omitempty"`
	// TooLarge are the hits, from 0, that were too large even alone; the receipt names them among the invalid ones.
	TooLarge []int `json:"too_large,omitempty"`
}

// Hit is the class of hit i of n.
func (e *batchResult) Hit(i, n int) answer.Class {
	if slices.Contains(e.TooLarge, i) {
		return answer.TooLarge
	}
	return e.Answer.HitClass(i, n)
}

// killedResult is what is known of a batch that was on its way when its job was killed.
var killedResult = batchResult{Answer: answer.Answer{Class: answer.Broken,
	Excerpt: "the job was killed while it was on its way"}}

// ReadHeader is the first line of the journal of a job; false where there is none that can be read.
func ReadHeader(fsys afero.Fs, path string) (Header, bool) {
	info, err := fsys.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Header{}, false
	}
	f, err := fsys.Open(path)
	if err != nil {
		return Header{}, false
	}
	defer f.Close() //nolint:errcheck // only read
	var l line
	if json.NewDecoder(f).Decode(&l) != nil || l.Job == nil {
		return Header{}, false
	}
	return *l.Job, true
}

// Open opens the journal of a job, or makes it. Header is that of a job to go on with, nil for a new one, which Begin
// must be told. The last line may be cut off, as a kill leaves it. The caller sees to it that nobody else opens it.
func (j *Journal) Open(fsys afero.Fs, path string) (header *Header, err error) {
	j.batches = map[span]batchResult{}
	f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("open journal: %s %w", path, exchange.ErrNotRegular), err, f.Close())
	}
	whole := int64(0)
	r := bufio.NewReader(f)
	for {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var l line
		if err == nil {
			err = json.Unmarshal(text, &l)
		}
		switch {
		case err != nil:
		case (l.Job != nil) != (whole == 0):
			err = errors.New("its first line, and no other, must be a header")
		case l.Job != nil && l.Job.Version != version:
			err = errors.New("another version of this program has begun the job, and orders its visits in another way")
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read journal %s: %w; move it away, and start another job with "+
				"another RUN_ID", path, err), f.Close())
		}
		whole += int64(len(text))
		if l.Job != nil {
			header = l.Job
		}
		j.apply(l)
	}
	if err = f.Truncate(whole); err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("repair journal: %w", err), f.Close())
	}
	j.file = f
	return header, nil
}

// Begin notes the header of a new job.
func (j *Journal) Begin(h Header) error {
	h.Version = version
	if err := j.write(line{Job: &h}); err != nil {
		return err
	}
	return j.sync()
}

// Close ends the journal, which can be gone on with later.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	if err := j.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

func (j *Journal) apply(l line) {
	switch {
	case l.Send != nil:
		j.batches[*l.Send] = killedResult
	case l.Back != nil:
		delete(j.batches, *l.Back)
	case l.End != nil && l.Answer != nil:
		j.batches[*l.End] = *l.Answer
	}
}

// known are by target the batches of which a job before has found out what became, by place. One that surely was not
// taken is none of them and goes again, and so does one whose hits Matomo all called invalid: it stored none.
func (j *Journal) known(targets int) [][]knownBatch {
	all := make([][]knownBatch, targets)
	for s, e := range j.batches {
		nothingStored := e.Class.Outcome() == outcome.Failed || e.Class == answer.Rejected && e.Receipt.Invalid > 0
		if s.Target < targets && s.Visits > 0 && !nothingStored {
			all[s.Target] = append(all[s.Target], knownBatch{s, e})
		}
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b knownBatch) int { return cmp.Compare(a.From, b.From) })
	}
	return all
}

func (j *Journal) sending(batch span) error {
	if err := j.write(line{Send: &batch}); err != nil {
		return err
	}
	return j.sync()
}

func (j *Journal) requeued(batch span) error { return j.write(line{Back: &batch}) }

func (j *Journal) ended(batch span, a batchResult) error {
	return j.write(line{End: &batch, Answer: &a})
}

// sync lets what was noted outlive a power cut.
func (j *Journal) sync() error {
	j.mu.Lock()
	file := j.file
	j.mu.Unlock()
	if file == nil {
		return nil
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// write writes a line so that it is there after a kill.
func (j *Journal) write(l line) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil || j.broken != nil {
		return j.broken
	}
	data, err := json.Marshal(l)
	if err == nil {
		_, err = io.Copy(j.file, bytes.NewReader(append(data, '\n')))
	}
	if err != nil { // half a line may be there, and after it there must be none
		j.broken = fmt.Errorf("write journal: %w", err)
	}
	return j.broken
}
