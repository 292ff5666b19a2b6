package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

const (
	// lookTime bounds the look at the sites before a run, which holds up its start.
	lookTime = 5 * time.Second
	// reach is how far before its begin a run's visits may lie (VISIT_DURATION_MAX).
	reach = 2 * time.Hour
)

// Before is what a site showed before a run began.
type Before struct {
	Parts []Part
	// Log is what the raw log held of all parts; nil where it could not be read.
	Log *evidence.RawLog
}

// Part is what was recorded of some days, the first and the last of which are written YYYY-MM-DD.
type Part struct {
	From, To string
	Recorded matomo.Figures
}

// of adds up the parts of some days; false where nobody looked at the first day. Days after those that were looked at
// had not begun.
func (b Before) of(from, to string) (sum matomo.Figures, looked bool) {
	for _, p := range b.Parts {
		looked = looked || p.From <= from && from <= p.To
		if p.From >= from && p.To <= to {
			sum = plus(sum, p.Recorded)
		}
	}
	return sum, looked
}

// behind tells whether the reports did not show all that the raw log held.
func (b Before) behind() bool {
	var all matomo.Figures
	for _, p := range b.Parts {
		all = plus(all, p.Recorded)
	}
	return behind(all, b.Log)
}

// widened are days that hold parts whole. The raw log is known of all parts alone: where it has to be taken off, they
// are all needed.
func (b Before) widened(from, to string) (string, string) {
	all := b.behind()
	for _, p := range b.Parts {
		if all || p.From <= to && p.To >= from {
			from, to = min(from, p.From), max(to, p.To)
		}
	}
	return from, to
}

// TakeBaseline keeps what the sites show before a run that is about to begin, so that it can be told from what was
// there. A site that does not answer in time, or has no token to read with, is left out: the reconciliation says that
// nobody looked. A run that goes on under its id, such as a backfill that is resumed, keeps the first look: now its own
// visits are there.
func (svc *Service) TakeBaseline(ctx context.Context, runID string) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if _, err := svc.cfg.Store.Figures(ctx, runID, record.Baseline); err == nil {
		return
	}
	seen, err := svc.look(ctx, runID)
	if err == nil && len(seen) > 0 {
		var body []byte
		if body, err = json.Marshal(seen); err == nil {
			err = svc.cfg.Store.SaveFigures(context.WithoutCancel(ctx), runID, record.Baseline, body)
		}
	}
	if err != nil {
		svc.cfg.Log.Error("what was there before the run cannot be kept", "run_id", runID, "err", err)
	}
}

// look asks the sites of a run at once; they are told apart by their place. One whose visits carry the run needs none.
func (svc *Service) look(ctx context.Context, runID string) (map[string]Before, error) {
	saved, err := svc.cfg.Store.Run(ctx, runID)
	if err != nil {
		return nil, err
	}
	knobs, _ := saved.Settings()
	if knobs.RunDimension > 0 {
		return nil, nil
	}
	readers, err := svc.cfg.Readers(ctx)
	if err != nil {
		return nil, err
	}
	single := place(knobs.Target())
	sites := map[string]target.Target{}
	for _, t := range readers {
		ours := place(t) == single || knobs.MatomoURL == "" && t.Enabled
		if ours && t.APIToken() != "" {
			sites[place(t)] = t
		}
	}
	var mu sync.Mutex // guards seen
	seen := map[string]Before{}
	var all sync.WaitGroup
	for at, t := range sites {
		all.Go(func() {
			b, err := svc.before(ctx, t, knobs)
			if err != nil {
				svc.cfg.Log.Debug("a site does not show what it has before the run", "target", t.Name, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[at] = b
		})
	}
	all.Wait()
	return seen, nil
}

// before asks for the days that visits of a run may fall on that begins now: those of a backfill together, because
// there may be many.
func (svc *Service) before(ctx context.Context, t target.Target, knobs spec.Spec) (b Before, err error) {
	site, err := svc.cfg.Matomo.Site(ctx, t)
	if err != nil {
		return b, err
	}
	zone := zoneOf(&site, knobs.Timezone.Location())
	now := time.Now().In(zone)
	first, last := now.Add(-reach).Format(time.DateOnly), now.Format(time.DateOnly)
	days := []Part{{From: first, To: first}, {From: last, To: last}}
	switch {
	case knobs.BackfillEnabled && knobs.BackfillStart != "" && knobs.BackfillEnd != "":
		days = []Part{{From: knobs.BackfillStart, To: knobs.BackfillEnd}}
	case first == last:
		days = days[:1]
	}
	var shown matomo.Figures
	for _, p := range days {
		s, err := sliceOf(p.From, p.To, "")
		if err != nil {
			return b, err
		}
		if p.Recorded, err = svc.cfg.Matomo.Figures(ctx, t, s); err != nil {
			return b, err
		}
		shown = plus(shown, p.Recorded)
		b.Parts = append(b.Parts, p)
	}
	whole, err := sliceOf(b.Parts[0].From, b.Parts[len(b.Parts)-1].To, "")
	if err != nil {
		return b, err
	}
	b.Log = rawLog(ctx, svc.cfg.Matomo, t, whole, zone, shown.Days)
	return b, nil
}

// sliceOf is the part of a site's data of some days (YYYY-MM-DD).
func sliceOf(from, to, segment string) (s matomo.Query, err error) {
	if s.From, err = time.Parse(time.DateOnly, from); err != nil {
		return s, fmt.Errorf("read day: %w", err)
	}
	if s.To, err = time.Parse(time.DateOnly, to); err != nil {
		return s, fmt.Errorf("read day: %w", err)
	}
	s.Segment = segment
	return s, nil
}

// rawLog is what the raw log holds of a slice, of which the reports show so many visits by day; nil where it cannot be
// read. Its counters go back two days and end now; of other days visits alone can be counted.
func rawLog(ctx context.Context, m Matomo, t target.Target, s matomo.Query, zone *time.Location,
	about map[string]uint64) *evidence.RawLog {
	midnight := time.Date(s.From.Year(), s.From.Month(), s.From.Day(), 0, 0, 0, 0, zone)
	if recent(midnight) && s.To.Format(time.DateOnly) >= time.Now().In(zone).Format(time.DateOnly) {
		log, err := m.RawLogSince(ctx, t, midnight, s.Segment)
		if err != nil {
			return nil
		}
		return &log
	}
	visits, err := m.CountVisits(ctx, t, s, about)
	if err != nil {
		return nil
	}
	return &evidence.RawLog{Visits: evidence.Span{Least: visits, Most: visits}}
}

// recent tells whether the raw log's counters reach back so far: Live.getCounters goes back 2,880 minutes.
func recent(since time.Time) bool { return time.Since(since) < 46*time.Hour }
