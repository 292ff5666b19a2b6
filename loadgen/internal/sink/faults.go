package sink

import (
	"fmt"
	"net/http"
	"time"
)

// Window is an outage, relative to the sink's start.
type Window struct {
	After, For time.Duration
	// Status is the response to every request; 0 closes the connection without one.
	Status int
}

// wait delays a response by Delay and the queue of a server that handles Limit hits per second, or until the client is
// gone.
func (s *Sink) wait(r *http.Request, hits int) {
	if wait := s.cfg.Delay + s.queue(hits); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
}

// queue adds hits to the queue and returns when they are done.
func (s *Sink) queue(hits int) time.Duration {
	if s.cfg.Limit <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // not the sink's clock, because wait really waits
	if s.idleAt.Before(now) {
		s.idleAt = now
	}
	s.idleAt = s.idleAt.Add(time.Duration(float64(hits) / s.cfg.Limit * float64(time.Second)))
	return s.idleAt.Sub(now)
}

// requestFault is an intended fault of a request.
type requestFault struct {
	name   string // "" for none
	stored bool
	status int // 0 closes the connection
}

// drawFault draws the fault of a request. It always draws all shares, so that one does not affect another.
func (s *Sink) drawFault() requestFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requestRand
	drop, broken, stored := r.Float64() < s.cfg.DropShare, r.Float64() < s.cfg.ErrorShare, r.IntN(2) == 0
	f := requestFault{stored: true}
	switch window := s.outage(); {
	case window != nil:
		f = requestFault{name: "outage", status: window.Status}
	case drop && stored:
		f = requestFault{name: "dropped, stored", stored: true}
	case drop:
		f = requestFault{name: "dropped"}
	case broken:
		f = requestFault{name: fmt.Sprintf("answered %d", s.cfg.ErrorStatus), status: s.cfg.ErrorStatus}
	}
	if f.name != "" {
		s.counts.Faults[f.name]++
	}
	return f
}

// outage returns the current one, or nil.
func (s *Sink) outage() *Window {
	since := s.cfg.Now().Sub(s.start)
	for i, w := range s.cfg.Outages {
		if since >= w.After && since < w.After+w.For {
			return &s.cfg.Outages[i]
		}
	}
	return nil
}

// fail responds with the fault.
func (f requestFault) fail(w http.ResponseWriter) {
	if f.status == 0 {
		panic(http.ErrAbortHandler) // closes the connection without a log line
	}
	http.Error(w, "fault on purpose", f.status)
}
