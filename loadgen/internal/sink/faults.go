package sink

import (
	"fmt"
	"net/http"
	"time"
)

// Window is a time at which nothing is taken, relative to the sink's start.
type Window struct {
	After, For time.Duration
	// Status answers every request of the window; 0 breaks the connection without an answer.
	Status int
}

// wait is the delay before an answer; a client that left is not waited for.
func (s *Sink) wait(r *http.Request) {
	if s.cfg.Delay <= 0 {
		return
	}
	timer := time.NewTimer(s.cfg.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// onPurpose is what goes wrong with a request on purpose.
type onPurpose struct {
	name   string // empty: nothing goes wrong
	stored bool
	status int // 0 breaks the connection
}

// drawFault draws the fault of one request. All shares are drawn every time, so that one does not shift another.
func (s *Sink) drawFault() onPurpose {
	s.mu.Lock()
	defer s.mu.Unlock()
	drop, broken, stored := s.rng.Float64() < s.cfg.DropShare, s.rng.Float64() < s.cfg.ErrorShare, s.rng.IntN(2) == 0
	f := onPurpose{stored: true}
	switch window := s.outage(); {
	case window != nil:
		f = onPurpose{name: "outage", status: window.Status}
	case drop && stored:
		f = onPurpose{name: "dropped, stored", stored: true}
	case drop:
		f = onPurpose{name: "dropped"}
	case broken:
		f = onPurpose{name: fmt.Sprintf("answered %d", s.cfg.ErrorStatus), status: s.cfg.ErrorStatus}
	}
	if f.name != "" {
		s.counts.Faults[f.name]++
	}
	return f
}

// outage is the window that is open, or nil.
func (s *Sink) outage() *Window {
	since := s.cfg.Now().Sub(s.start)
	for i, w := range s.cfg.Outages {
		if since >= w.After && since < w.After+w.For {
			return &s.cfg.Outages[i]
		}
	}
	return nil
}

// fail answers with the fault. A broken connection is net/http's abort, which logs nothing.
func (f onPurpose) fail(w http.ResponseWriter) {
	if f.status == 0 {
		panic(http.ErrAbortHandler)
	}
	http.Error(w, "fault on purpose", f.status)
}
