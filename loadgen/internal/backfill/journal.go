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

// version of journals that identify batches by spans. In earlier ones they were numbered, and a job could not be
// resumed with another batch size.
const version = 2

// Header is the first line of a journal: what decides the batches of a job.
type Header struct {
	Version int    `json:"version"` // set by Begin
	RunID   string `json:"run_id"`
	Seed    uint64 `json:"seed"`
	// Plan is the plan hash, which leaves out seed and run id.
	Plan string `json:"plan"`
	// Now is when the job was started, which decides relative days and how much of today is sent.
	Now time.Time `json:"now"`
}

// Journal records which batches of a job may have been sent, before each request, and their results after it. All
// entries survive a kill; a power cut loses only results after the last request that was sent, which become unknown.
// The zero Journal records nothing.
type Journal struct {
	mu      sync.Mutex
	file    afero.File
	broken  error // why nothing can be recorded any more
	batches map[span]batchResult
}

// line is a line of a journal.
type line struct {
	Job *Header `json:"job,omitempty"`
	// Send: the batch is being sent. Back: it was certainly not accepted and may be sent again. End: it has a result.
	Send   *span        `json:"send,omitempty"`
	Back   *span        `json:"back,omitempty"`
	End    *span        `json:"end,omitempty"`
	Answer *batchResult `json:"answer,omitempty"`
}

// killedResult is the result of a batch that was being sent when its job was killed.
var killedResult = batchResult{Answer: answer.Answer{Class: answer.Broken,
	Excerpt: "the job was killed while the batch was in flight"}}

// ReadHeader returns the header of a journal; false if there is no readable one.
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

// Open opens or creates the journal of a job, and returns the header of a job to resume, or nil for a new one that
// needs Begin. A kill may have cut off the last line. No other process may open it.
func (j *Journal) Open(fsys afero.Fs, path string) (header *Header, err error) {
	j.batches = map[span]batchResult{}
	f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("open journal: %s %w", path, exchange.ErrNotRegular), err, f.Close())
	}
	complete := int64(0) // bytes
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
		case (l.Job != nil) != (complete == 0):
			err = errors.New("only the first line must be a header")
		case l.Job != nil && l.Job.Version != version:
			err = errors.New("the job was started by another version of this program, which orders visits differently")
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read journal %s: %w; move the file away and start a new job with "+
				"another RUN_ID", path, err), f.Close())
		}
		complete += int64(len(text))
		if l.Job != nil {
			header = l.Job
		}
		j.apply(l)
	}
	if err = f.Truncate(complete); err == nil {
		_, err = f.Seek(complete, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("repair journal: %w", err), f.Close())
	}
	j.file = f
	return header, nil
}

// Begin records the header of a new job.
func (j *Journal) Begin(h Header) error {
	h.Version = version
	return j.writeDurably(line{Job: &h})
}

// Close closes the journal; the job can be resumed later.
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

// known returns the batches with a result by target and position. It leaves out those that are sent again: batches that
// were certainly not accepted, or of which Matomo called all hits invalid and stored none.
func (j *Journal) known(targets int) [][]knownBatch {
	all := make([][]knownBatch, targets)
	for s, r := range j.batches {
		nothingStored := r.Class.Outcome() == outcome.Failed || r.Class == answer.Rejected && r.Receipt.Invalid > 0
		if s.Target < targets && s.Visits > 0 && !nothingStored {
			all[s.Target] = append(all[s.Target], knownBatch{s, r})
		}
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b knownBatch) int { return cmp.Compare(a.From, b.From) })
	}
	return all
}

func (j *Journal) sending(b span) error              { return j.writeDurably(line{Send: &b}) }
func (j *Journal) requeued(b span) error             { return j.write(line{Back: &b}) }
func (j *Journal) ended(b span, r batchResult) error { return j.write(line{End: &b, Answer: &r}) }

// writeDurably writes a line that survives a power cut.
func (j *Journal) writeDurably(l line) error {
	if err := j.write(l); err != nil || j.file == nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// write writes a line that survives a kill.
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
	if err != nil { // nothing may follow a line that was perhaps cut off
		j.broken = fmt.Errorf("write journal: %w", err)
	}
	return j.broken
}
