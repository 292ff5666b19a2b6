package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/spec"
)

// Config of a Live.
type Config struct {
	// Where is the loadgen's telemetry as http://host:port, empty while there is none. It must not block.
	Where func() string
	// Client asks the loadgen; it needs a timeout of its own.
	Client *http.Client
	// Ledger reads the ledger of record of a run, and Cap what the loadgen keeps of the cap; nil where there is none.
	Ledger func(runID string) ([]byte, error)
	Cap    func() ([]byte, error)
	// Settings are those of a run; false where they are not known.
	Settings func(runID string) (spec.Spec, bool)
	// Keep stores a minute of a run; an error is logged.
	Keep func(context.Context, Minute) error
	// Hub gets every sample.
	Hub *Hub
	Log *slog.Logger
}

// Live watches. It is safe for concurrent use.
type Live struct {
	c Config

	mu     sync.Mutex // guards what follows
	ring   []Point
	latest Sample
	has    bool
}

// window is how many seconds of points are kept: two hours.
const window = 2 * 60 * 60

// New makes a Live; Watch feeds it.
func New(c Config) *Live { return &Live{c: c} }

// Latest is the last sample; false before the first.
func (l *Live) Latest() (Sample, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest, l.has
}

// History are the points after since of the last two hours, oldest first.
func (l *Live) History(since time.Time) []Point {
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

// Watch scrapes each second until ctx is done.
func (l *Live) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var m meter
	var x explainer
	for {
		select {
		case <-ctx.Done():
			l.keep(context.WithoutCancel(ctx), m.flush())
			return
		case <-tick.C:
		}
		base := l.c.Where()
		if base == "" {
			l.keep(ctx, m.flush())
			continue
		}
		s, err := Read(ctx, l.c.Client, base)
		if err != nil {
			continue // it comes up or goes down; who runs it knows and tells
		}
		if s.RunID == "" || s.Phase == "idle" {
			continue
		}
		sample, minutes := m.take(time.Now().UTC(), s)
		l.keep(ctx, minutes)
		x.explain(l.c, &sample)
		l.store(sample)
	}
}

func (l *Live) keep(ctx context.Context, minutes []Minute) {
	for _, m := range minutes {
		if err := l.c.Keep(ctx, m); err != nil {
			l.c.Log.Error("a minute of the run cannot be stored", "run_id", m.RunID, "err", err)
		}
	}
}

func (l *Live) store(s Sample) {
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
