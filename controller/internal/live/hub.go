package live

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Hub sends events to readers. It never waits for a reader: one that falls behind is dropped, and resumes with the ID
// of the last event it received. It is safe for concurrent use.
type Hub struct {
	epoch string

	mu      sync.Mutex // guards what follows
	next    uint64
	events  []Event             // the last ones, oldest first
	latest  map[EventKind]Event // the last state and sample, even if no longer among events
	readers map[*Reader]struct{}
	closed  bool
}

const (
	// maxEvents is the number of events that can be resumed: some minutes of an ordinary run.
	maxEvents = 1000
	// maxBacklog is how many events a reader may be behind.
	maxBacklog = 256
)

// NewHub returns a hub. Its IDs start with the time of its start, which distinguishes them from those of earlier
// controllers.
func NewHub(start time.Time) *Hub {
	return &Hub{epoch: strconv.FormatInt(start.UnixMilli(), 36), latest: map[EventKind]Event{},
		readers: map[*Reader]struct{}{}}
}

// Filter selects the events of a reader. The zero value selects all.
type Filter struct {
	Log   launcher.LogQuery // selects log lines by Level and Texts
	NoLog bool              // excludes the log
}

func (f Filter) wants(e Event) bool {
	return e.Kind != LogEvent || !f.NoLog && f.Log.Matches(e.line)
}

// Reader receives the events of its filter, in order.
type Reader struct {
	hub    *Hub
	filter Filter
	events chan Event
}

// Events returns a channel that is closed with the hub, and when the reader falls behind.
func (r *Reader) Events() <-chan Event { return r.events }

// Close closes the reader. It may be called twice.
func (r *Reader) Close() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	r.hub.drop(r)
}

func (h *Hub) drop(r *Reader) {
	if _, there := h.readers[r]; there {
		delete(h.readers, r)
		close(r.events)
	}
}

// Join returns a reader that starts after the event with the ID lastID. If that is not an ID of the hub, it starts with
// the latest state and sample.
func (h *Hub) Join(lastID string, f Filter) *Reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &Reader{hub: h, filter: f, events: make(chan Event, maxEvents+maxBacklog)}
	after, ours := h.number(lastID)
	var first []Event
	for _, e := range h.latest {
		if !ours || e.number > after && e.number < h.events[0].number {
			first = append(first, e)
		}
	}
	slices.SortFunc(first, func(a, b Event) int { return cmp.Compare(a.number, b.number) })
	for _, e := range first {
		r.events <- e // has room for all events
	}
	for _, e := range h.events {
		if ours && e.number > after && f.wants(e) {
			r.events <- e
		}
	}
	if h.closed {
		close(r.events)
		return r
	}
	h.readers[r] = struct{}{}
	return r
}

// number parses an ID; false if it is not one of this hub.
func (h *Hub) number(id string) (uint64, bool) {
	digits, ok := strings.CutPrefix(id, h.epoch+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n <= h.next
}

// Send sends an event to all readers. data is JSON.
func (h *Hub) Send(kind EventKind, data []byte) { h.send(Event{Kind: kind, Data: data}) }

// SendLine sends a log line to the readers whose filter selects it.
func (h *Hub) SendLine(l launcher.Line, data []byte) {
	h.send(Event{Kind: LogEvent, Data: data, line: l})
}

func (h *Hub) send(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.next++
	e.number, e.ID = h.next, fmt.Sprintf("%s-%d", h.epoch, h.next)
	if len(h.events) == maxEvents {
		h.events = append(h.events[:0], h.events[1:]...)
	}
	h.events = append(h.events, e)
	if e.Kind != LogEvent {
		h.latest[e.Kind] = e
	}
	for r := range h.readers {
		if !r.filter.wants(e) {
			continue
		}
		select {
		case r.events <- e:
		default:
			h.drop(r)
		}
	}
}

// Close closes all readers. Call it before closing the HTTP server, which waits for them.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for r := range h.readers {
		h.drop(r)
	}
}
