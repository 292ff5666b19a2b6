package live

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Config of a Live.
type Config struct {
	// Where is the loadgen's telemetry as http://host:port, empty while there is none. It must not block.
	Where func() string
	// ByLedger is the run that goes on though its loadgen's telemetry cannot be reached, empty where there is none; nil
	// asks for none. It must not block.
	ByLedger func() string
	// Client asks the loadgen; it needs a timeout of its own.
	Client *http.Client
	// Ledger reads the ledger of a run, and Cap what the loadgen keeps of the cap, see ledgers.Reader.
	Ledger func(runID string) (*record.Summary, error)
	Cap    func() (record.Cap, error)
	// Settings are those of a run; false where they are not known.
	Settings func(runID string) (spec.Spec, bool)
	// Scale is what the run's planned rate is multiplied by now, 0 while it is paused.
	Scale func() float64
	// Keep stores an interval of a run; an error is logged.
	Keep func(context.Context, Interval) error
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
		s, err := l.read(ctx)
		if err != nil {
			continue // it comes up or goes down; who runs it knows and tells
		}
		if s == nil {
			l.keep(ctx, m.flush())
			continue
		}
		if s.RunID == "" || s.Phase == "idle" {
			continue
		}
		sample, done := m.take(time.Now().UTC(), s)
		sample.Scale = l.c.Scale()
		l.keep(ctx, done)
		x.explain(l.c, &sample)
		l.store(sample)
	}
}

// read asks the loadgen, or its ledger where it cannot be reached; nil where nothing runs.
func (l *Live) read(ctx context.Context) (*Scrape, error) {
	if base := l.c.Where(); base != "" {
		return Read(ctx, l.c.Client, base)
	}
	if l.c.ByLedger == nil {
		return nil, nil
	}
	id := l.c.ByLedger()
	if id == "" {
		return nil, nil
	}
	switch r, err := l.c.Ledger(id); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	default:
		return ofLedger(r), nil
	}
}

func (l *Live) keep(ctx context.Context, intervals []Interval) {
	for _, i := range intervals {
		if err := l.c.Keep(ctx, i); err != nil {
			l.c.Log.Error("an interval of the run cannot be stored", "run_id", i.RunID, "err", err)
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
