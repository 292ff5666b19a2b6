package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
)

// openVisit is a visit that has begun: what is needed to go on with it. Its hits are made again from its number. It
// is small and free of pointers, because there may be millions.
type openVisit struct {
	number uint64
	// start is the intended moment of the first hit, due when the next is tried, or since when it waits for a request;
	// both count from the beginning of the run.
	start, due time.Duration
	ledger.Course
	// base is the recorded moment of the first hit in Unix seconds, 0 in a live visit.
	base   uint32
	target uint16
	// hit is the next hit; all up to upTo, which is not one of them, go in one request.
	hit, upTo uint16
	// attempts were made to send them, and class and status are what the last one brought.
	attempts uint8
	class    answer.Class
	status   uint16
	// sent says that a hit went out.
	sent bool
}

// hits is how many hits go in the next request.
func (o *openVisit) hits() int { return int(o.upTo - o.hit) }

// recorded is the Unix second that a hit sent at sent is recorded at.
func (o *openVisit) recorded(h *visit.Hit, sent time.Time) int64 {
	if o.base == 0 {
		return sent.Unix()
	}
	return int64(o.base) + int64(h.Offset/time.Second)
}

// group sets which hits go in the next request: all that are due by now, at most most and at least one.
func (o *openVisit) group(v *visit.Visit, now time.Duration, most int) {
	o.upTo = o.hit + 1
	for int(o.upTo) < len(v.Hits) && o.hits() < most && o.start+v.Hits[o.upTo].Wait <= now {
		o.upTo++
	}
}

// book takes in what became of the next hit.
func (o *openVisit) book(h *sentHit, days *days) {
	o.hit++
	o.Book(h.Class.Outcome(), h.Kind, h.recorded, o.Taken > 0 && days.same(int64(o.Taken), h.recorded))
}
