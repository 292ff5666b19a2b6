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

// wait is the time before an answer to a request of so many hits: the delay, and what a server takes that handles one
// hit after the other, at most Limit a second. A client that left is not waited for, but has taken its turn.
func (s *Sink) wait(r *http.Request, hits int) {
	wait := s.cfg.Delay + s.queue(hits)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// queue is how long hits take that go behind those that are there.
func (s *Sink) queue(hits int) time.Duration {
	if s.cfg.Limit <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // of the machine: it is waited for
	if s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(time.Duration(float64(hits) / s.cfg.Limit * float64(time.Second)))
	return s.free.Sub(now)
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
