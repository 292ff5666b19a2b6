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

// Config configures a Monitor.
type Config struct {
	// Ledger reads the ledger of a run, and Cap the state of the cap on visits, see summaries.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	Cap    func() (runsummary.Cap, error)
	// Settings returns those of a run; false if they are unknown.
	Settings func(runID string) (spec.Spec, bool)
	// Scale returns the current factor of the planned rate, 0 while the run is paused.
	Scale func() float64
	// SaveInterval stores an interval of a run.
	SaveInterval func(context.Context, Interval) error
	// Hub receives every sample.
	Hub *Hub
	Log *slog.Logger
}

// Monitor turns the loadgen's status into samples. It is safe for concurrent use.
type Monitor struct {
	c       Config
	pending chan *status.Snapshot // the next snapshot for Watch

	mu     sync.Mutex // guards what follows
	ring   []Point
	latest Sample
	has    bool
}

// window is the number of points that are kept: two hours.
const window = 2 * 60 * 60

// New returns a Monitor, which needs Observe and Watch.
func New(c Config) *Monitor { return &Monitor{c: c, pending: make(chan *status.Snapshot, 1)} }

// Observe adds a snapshot, nil if no loadgen runs. One caller calls it once a second. It does not block: a snapshot
// replaces an earlier one that Watch has not seen.
func (l *Monitor) Observe(s *status.Snapshot) {
	select {
	case <-l.pending:
	default:
	}
	l.pending <- s
}

// Latest returns the last sample; false before the first.
func (l *Monitor) Latest() (Sample, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest, l.has
}

// History returns the points of the last two hours after since, oldest first.
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

// Watch turns snapshots into samples until ctx is done.
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

// summary returns the summary of all lives of a run, of which r is the last one. A life without earlier visits is the
// only one.
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
			l.c.Log.Error("cannot store an interval of the run", "run_id", i.RunID, "err", err)
		}
	}
}

func (l *Monitor) publish(s Sample) {
	data, err := json.Marshal(s)
	if err != nil {
		l.c.Log.Error("cannot encode a sample", "err", err)
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
