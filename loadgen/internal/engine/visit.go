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
	ledger.VisitState
	// recordedStart is the recorded moment of the first hit in Unix seconds, 0 in a live visit.
	recordedStart uint32
	target        uint16
	// hit is the next hit; all up to upTo, which is not one of them, go in one request.
	hit, upTo uint16
	// attempts were made to send them, and class and status are what the last one brought.
	attempts uint8
	class    answer.Class
	status   uint16
	// sent says that a hit went out.
	sent bool
}

// groupSize is how many hits go in the next request.
func (o *openVisit) groupSize() int { return int(o.upTo - o.hit) }

// recordedAt is the Unix second that a hit sent at sent is recorded at.
func (o *openVisit) recordedAt(h *visit.Hit, sent time.Time) int64 {
	if o.recordedStart == 0 {
		return sent.Unix()
	}
	return int64(o.recordedStart) + int64(h.Offset/time.Second)
}

// setGroup sets which hits go in the next request: all that are due by now, at most most and at least one.
func (o *openVisit) setGroup(v *visit.Visit, now time.Duration, most int) {
	o.upTo = o.hit + 1
	for int(o.upTo) < len(v.Hits) && o.groupSize() < most && o.start+v.Hits[o.upTo].SendOffset <= now {
		o.upTo++
	}
}

// record takes in what became of the next hit.
func (o *openVisit) record(h *sentHit, days *days) {
	o.hit++
	o.Add(h.Class.Outcome(), h.Kind, h.recorded, o.LastAction > 0 && days.sameDay(int64(o.LastAction), h.recorded))
}
