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
	// baselineTimeout bounds the queries before a run, which delay its start.
	baselineTimeout = 5 * time.Second
	// reach is how long before the start of a run its visits may be (VISIT_DURATION_MAX).
	reach = 2 * time.Hour
)

// Before is what a site showed before a run started.
type Before struct {
	Parts []Part
	// Log is the raw log of all parts; nil if it could not be read.
	Log *evidence.RawLog
}

// Part has the figures of some days, from the first to the last (YYYY-MM-DD).
type Part struct {
	From, To string
	Recorded matomo.Figures
}

// of adds up the parts of some days; it is false if the first day was not queried. Later days had not started.
func (b Before) of(from, to string) (sum matomo.Figures, queried bool) {
	for _, p := range b.Parts {
		queried = queried || p.From <= from && from <= p.To
		if p.From >= from && p.To <= to {
			sum = plus(sum, p.Recorded)
		}
	}
	return sum, queried
}

// behind reports whether the reports did not show all of the raw log.
func (b Before) behind() bool {
	var all matomo.Figures
	for _, p := range b.Parts {
		all = plus(all, p.Recorded)
	}
	return behind(all, b.Log)
}

// widened extends days to complete parts. The raw log is only known for all parts, so that all are needed to subtract
// it.
func (b Before) widened(from, to string) (string, string) {
	all := b.behind()
	for _, p := range b.Parts {
		if all || p.From <= to && p.To >= from {
			from, to = min(from, p.From), max(to, p.To)
		}
	}
	return from, to
}

// TakeBaseline saves what the sites show before a run starts, so that it can be subtracted. Sites that do not respond
// in time, or have no token for reading, are left out. A resumed run, such as a backfill, keeps its first baseline,
// because its own visits are there by now.
func (svc *Service) TakeBaseline(ctx context.Context, runID string) {
	ctx, cancel := context.WithTimeout(ctx, baselineTimeout)
	defer cancel()
	if _, err := svc.cfg.Store.Figures(ctx, runID, record.Baseline); err == nil {
		return
	}
	seen, err := svc.baseline(ctx, runID)
	if err == nil && len(seen) > 0 {
		var body []byte
		if body, err = json.Marshal(seen); err == nil {
			err = svc.cfg.Store.SaveFigures(context.WithoutCancel(ctx), runID, record.Baseline, body)
		}
	}
	if err != nil {
		svc.cfg.Log.Error("could not save the baseline of a run", "run_id", runID, "err", err)
	}
}

// baseline queries the sites of a run in parallel; the keys are those of siteKey. A run whose visits carry its id in a
// custom dimension needs no baseline.
func (svc *Service) baseline(ctx context.Context, runID string) (map[string]Before, error) {
	saved, err := svc.cfg.Store.Run(ctx, runID)
	if err != nil {
		return nil, err
	}
	settings, _ := saved.Settings()
	if settings.RunDimension > 0 {
		return nil, nil
	}
	readers, err := svc.cfg.Readers(ctx)
	if err != nil {
		return nil, err
	}
	single := siteKey(settings.Target())
	sites := map[string]target.Target{}
	for _, t := range readers {
		sentTo := siteKey(t) == single || settings.MatomoURL == "" && t.Enabled
		if sentTo && t.APIToken() != "" {
			sites[siteKey(t)] = t
		}
	}
	var mu sync.Mutex // guards seen
	seen := map[string]Before{}
	var all sync.WaitGroup
	for key, t := range sites {
		all.Go(func() {
			b, err := svc.before(ctx, t, settings)
			if err != nil {
				svc.cfg.Log.Debug("could not take the baseline of a site", "target", t.Name, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[key] = b
		})
	}
	all.Wait()
	return seen, nil
}

// before queries the days on which a run that starts now may have visits: those of a backfill in one query, because
// there may be many.
func (svc *Service) before(ctx context.Context, t target.Target, settings spec.Spec) (b Before, err error) {
	site, err := svc.cfg.Matomo.Site(ctx, t)
	if err != nil {
		return b, err
	}
	zone := settings.Timezone.Location()
	if z, err := site.Zone(); err == nil {
		zone = z.Location()
	}
	now := time.Now().In(zone)
	first, last := now.Add(-reach).Format(time.DateOnly), now.Format(time.DateOnly)
	days := []Part{{From: first, To: first}, {From: last, To: last}}
	switch {
	case settings.BackfillEnabled && settings.BackfillStart != "" && settings.BackfillEnd != "":
		days = []Part{{From: settings.BackfillStart, To: settings.BackfillEnd}}
	case first == last:
		days = days[:1]
	}
	var shown matomo.Figures
	for _, p := range days {
		q, err := queryOf(p.From, p.To, "")
		if err != nil {
			return b, err
		}
		if p.Recorded, err = svc.cfg.Matomo.Figures(ctx, t, q); err != nil {
			return b, err
		}
		shown = plus(shown, p.Recorded)
		b.Parts = append(b.Parts, p)
	}
	all, err := queryOf(b.Parts[0].From, b.Parts[len(b.Parts)-1].To, "")
	if err != nil {
		return b, err
	}
	b.Log = rawLog(ctx, svc.cfg.Matomo, t, all, zone, shown.Days)
	return b, nil
}

// queryOf returns the query of some days (YYYY-MM-DD).
func queryOf(from, to, segment string) (q matomo.Query, err error) {
	if q.From, err = time.Parse(time.DateOnly, from); err == nil {
		q.To, err = time.Parse(time.DateOnly, to)
	}
	if err != nil {
		return q, fmt.Errorf("read day: %w", err)
	}
	q.Segment = segment
	return q, nil
}

// rawLog returns the raw log of a query, or nil if it cannot be read; about are the visits by day in the reports. The
// counters of the raw log reach back two days from now; on other days only visits can be counted.
func rawLog(ctx context.Context, m Matomo, t target.Target, q matomo.Query, zone *time.Location,
	about map[string]uint64) *evidence.RawLog {
	midnight := time.Date(q.From.Year(), q.From.Month(), q.From.Day(), 0, 0, 0, 0, zone)
	if isRecent(midnight) && q.To.Format(time.DateOnly) >= time.Now().In(zone).Format(time.DateOnly) {
		log, err := m.RawLogSince(ctx, t, midnight, q.Segment)
		if err != nil {
			return nil
		}
		return &log
	}
	visits, err := m.CountVisits(ctx, t, q, about)
	if err != nil {
		return nil
	}
	return &evidence.RawLog{Visits: evidence.Span{Least: visits, Most: visits}}
}

// isRecent reports whether the counters of the raw log reach back that far: Live.getCounters goes back 2,880 minutes.
func isRecent(since time.Time) bool { return time.Since(since) < 46*time.Hour }
