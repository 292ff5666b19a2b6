package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/status"
)

// Config of a Live.
type Config struct {
	// Ledger reads the ledger of a run, and Cap what the loadgen keeps of the cap, see ledgers.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	Cap    func() (runsummary.Cap, error)
	// Settings are those of a run; false where they are not known.
	Settings func(runID string) (spec.Spec, bool)
	// Scale is what the run's planned rate is multiplied by now, 0 while it is paused.
	Scale func() float64
	// Keep stores an interval of a run; an error is logged.
	SaveInterval func(context.Context, Interval) error
	// Hub gets every sample.
	Hub *Hub
	Log *slog.Logger
}

// Live turns what the loadgen tells into samples. It is safe for concurrent use.
type Monitor struct {
	c Config
	// next is the snapshot that Watch has not seen yet.
	pending chan *status.Snapshot

	mu     sync.Mutex // guards what follows
	ring   []Point
	latest Sample
	has    bool
}

// window is how many seconds of points are kept: two hours.
const window = 2 * 60 * 60

// New makes a Live; Take feeds it, and Watch does its work.
func New(c Config) *Monitor { return &Monitor{c: c, pending: make(chan *status.Snapshot, 1)} }

// Take takes what the loadgen tells, which is to be asked once a second, by one caller; nil is that none runs. It does
// not block: a snapshot that comes before the one before it was seen replaces that.
func (l *Monitor) Observe(s *status.Snapshot) {
	select {
	case <-l.pending:
	default:
	}
	l.pending <- s
}

// Latest is the last sample; false before the first.
func (l *Monitor) Latest() (Sample, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest, l.has
}

// History are the points after since of the last two hours, oldest first.
func (l *Monitor) History(since time.Time) []Point {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Point{}
	for _, p := range l.ring {
		if p.Time.After(since) {
			out = append(out, p)
		}
	}
	return out
}

// Watch makes samples of what Take is given, until ctx is done.
func (l *Monitor) Watch(ctx context.Context) {
	var m meter
	var x limits
	for {
		var s *status.Snapshot
		select {
		case <-ctx.Done():
			l.saveIntervals(context.WithoutCancel(ctx), m.flush())
			return
		case s = <-l.pending:
		}
		switch {
		case s == nil:
			l.saveIntervals(ctx, m.flush())
			continue
		case s.Run.RunID == "" || s.Phase == phase.Idle:
			continue
		}
		sample, done := m.take(time.Now().UTC(), s)
		sample.Scale = l.c.Scale()
		l.saveIntervals(ctx, done)
		x.add(l.c, &sample, l.summary(&s.Run))
		l.publish(sample)
	}
}

// whole is what is known of all lives of a run, of which r is the last one. One that had no visit before is all.
func (l *Monitor) summary(r *runsummary.Summary) *runsummary.Summary {
	if r.FirstVisit > 0 {
		if all, err := l.c.Ledger(r.RunID); err == nil {
			return all
		}
	}
	return r
}

func (l *Monitor) saveIntervals(ctx context.Context, intervals []Interval) {
	for _, i := range intervals {
		if err := l.c.SaveInterval(ctx, i); err != nil {
			l.c.Log.Error("an interval of the run cannot be stored", "run_id", i.RunID, "err", err)
		}
	}
}

func (l *Monitor) publish(s Sample) {
	data, err := json.Marshal(s)
	if err != nil {
		l.c.Log.Error("a sample cannot be written", "err", err)
		return
	}
	l.mu.Lock()
	l.latest, l.has = s, true
	if len(l.ring) == window {
		l.ring = append(l.ring[:0], l.ring[1:]...)
	}
	l.ring = append(l.ring, s.Point)
	l.mu.Unlock()
	l.c.Hub.Send(SampleEvent, data)
}
