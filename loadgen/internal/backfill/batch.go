package backfill

import (
	"iter"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/record"
)

// batch is one request: whole visits of one day and one target, so that a visitor's hits are in order and in no other
// request.
type batch struct {
	number uint64
	day    int
	target int
	visits []start
	hits   int
}

// start is a visit and the Unix second of its first hit.
type start struct {
	number uint64
	at     int64
}

// told is what a person is told of a batch.
func (j *Job) told(b *batch, why string) record.Batch {
	return record.Batch{
		Number: b.number, Date: j.c.Days[b.day].Date.String(), Target: j.c.Targets[b.target],
		FirstVisit: b.visits[0].number, Visits: len(b.visits), Hits: b.hits, Why: why,
	}
}

// batches are those of the job, by day and number: a pure function of its configuration, which is what lets a job that
// was killed go on. late gets the visits that their day has no time for.
func (c *Config) batches(late func(day, target int, v *visit.Visit)) iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		var v visit.Visit
		var number, count uint64
		open := make([]*batch, len(c.Targets))
		send := func(t int) bool {
			b := open[t]
			open[t] = nil
			if b == nil {
				return true
			}
			b.number = count
			count++
			return yield(b)
		}
		for day, d := range c.Days {
			hours := newClock(d, c.Week, c.Seed)
			for k := range d.Visits {
				c.Visits.Outline(number, &v)
				t := c.Router.Choose(number)
				at, fits := hours.start(k, number, v.Length())
				if !fits {
					late(day, t, &v)
					number++
					continue
				}
				if b := open[t]; b != nil && b.hits+len(v.Hits) > c.Size && !send(t) {
					return
				}
				if open[t] == nil {
					open[t] = &batch{day: day, target: t}
				}
				open[t].visits = append(open[t].visits, start{number, at})
				open[t].hits += len(v.Hits)
				number++
			}
			for t := range open {
				if !send(t) {
					return
				}
			}
		}
	}
}

// moment is when a hit of the visit is recorded.
func (s start) moment(h *visit.Hit) time.Time {
	return time.Unix(s.at+int64(h.Offset/time.Second), 0)
}
