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

// Hub hands events to those who listen. It never waits for one: who does not keep up is dropped, and resumes with the
// id of the event it saw last. It is safe for concurrent use.
type Hub struct {
	epoch string

	mu      sync.Mutex // guards what follows
	next    uint64
	events  []Event             // the last ones, oldest first
	latest  map[EventKind]Event // the last state and sample, kept or not
	readers map[*Reader]struct{}
	closed  bool
}

const (
	// keptEvents can be resumed: some minutes of an ordinary run.
	maxEvents = 1000
	// waiting is how many events a reader may be behind.
	maxBacklog = 256
)

// NewHub makes a hub whose ids begin with its start, so that those of an earlier controller are not mistaken for its
// own.
func NewHub(start time.Time) *Hub {
	return &Hub{epoch: strconv.FormatInt(start.UnixMilli(), 36), latest: map[EventKind]Event{},
		readers: map[*Reader]struct{}{}}
}

// Filter chooses events of a reader. The zero value is all.
type Filter struct {
	// Log chooses the log lines; Since and Tail of it mean nothing here.
	Log launcher.LogQuery
	// NoLog leaves the log out.
	NoLog bool
}

func (f Filter) wants(e Event) bool {
	return e.Kind != LogEvent || !f.NoLog && f.Log.Matches(e.line)
}

// Reader gets the events that it asked for, in order.
type Reader struct {
	hub    *Hub
	filter Filter
	events chan Event
}

// Events is closed when the hub is, and when the reader has fallen behind.
func (r *Reader) Events() <-chan Event { return r.events }

// Close ends the reader. It may be called twice.
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

// Join makes a reader that begins after the event with the id lastID: with those that are still kept where lastID is
// the hub's, with the latest state and sample where it is not or is empty. These two are never too old to be told.
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
		r.events <- e // there is room for all that is kept
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

// number reads an id; false where it is not one of this hub.
func (h *Hub) number(id string) (uint64, bool) {
	digits, ok := strings.CutPrefix(id, h.epoch+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n <= h.next
}

// Send gives an event to all readers. data is JSON.
func (h *Hub) Send(kind EventKind, data []byte) { h.send(Event{Kind: kind, Data: data}) }

// SendLine gives a line of the log to the readers that want it.
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

// Close ends all readers; it comes before the end of the HTTP server, which waits for them.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for r := range h.readers {
		h.drop(r)
	}
}
