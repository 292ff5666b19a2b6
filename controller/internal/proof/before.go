package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

const (
	// lookTime bounds the look at the sites before a run, which holds up its start.
	lookTime = 5 * time.Second
	// reach is how far before its begin a run's visits may lie (VISIT_DURATION_MAX).
	reach = 2 * time.Hour
)

// Look keeps what the sites show before a run that is about to begin, so that it can be told from what was there. A site
// that does not answer in time, or has no token to read with, is left out: the reconciliation says that nobody looked. A
// run that goes on under its id, such as a backfill that is resumed, keeps the first look: now its own visits are there.
func (k *Keeper) Look(ctx context.Context, runID string) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if _, err := k.c.Store.Proof(ctx, runID, store.Before); err == nil {
		return
	}
	seen, err := k.look(ctx, runID)
	if err == nil && len(seen) > 0 {
		var body []byte
		if body, err = json.Marshal(seen); err == nil {
			err = k.c.Store.SaveProof(context.WithoutCancel(ctx), runID, store.Before, body)
		}
	}
	if err != nil {
		k.c.Log.Error("what was there before the run cannot be kept", "run_id", runID, "err", err)
	}
}

// look asks the sites of a run at once; they are told apart by their place. One whose visits carry the run needs none.
func (k *Keeper) look(ctx context.Context, runID string) (map[string]map[string]matomo.Recorded, error) {
	saved, err := k.c.Store.Run(ctx, runID)
	if err != nil {
		return nil, err
	}
	knobs, err := configuration(saved)
	if err != nil || knobs.RunDimension > 0 {
		return nil, err
	}
	readers, err := k.c.Readers(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards seen
	seen := map[string]map[string]matomo.Recorded{}
	var all sync.WaitGroup
	for _, t := range readers {
		ours := t.URL == knobs.MatomoURL && t.SiteID == knobs.MatomoSiteID || knobs.MatomoURL == "" && t.Enabled
		if !ours || t.Reader() == "" {
			continue
		}
		all.Go(func() {
			days, err := k.days(ctx, t, zoneOf(knobs.Timezone, time.UTC))
			if err != nil {
				k.c.Log.Debug("a site does not tell what it shows before the run", "target", t.Name, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[place(t)] = days
		})
	}
	all.Wait()
	return seen, nil
}

// place tells the sites apart whatever targets are called.
func place(t target.Target) string { return fmt.Sprintf("%s %d", t.URL, t.SiteID) }

// days asks for the days that visits of a run that begins now may fall on.
func (k *Keeper) days(ctx context.Context, t target.Target, zone *time.Location) (map[string]matomo.Recorded, error) {
	site, err := k.c.Matomo.Site(ctx, t)
	if err != nil {
		return nil, err
	}
	zone = zoneOf(site.Timezone, zone)
	out := map[string]matomo.Recorded{}
	now := time.Now()
	for _, at := range []time.Time{now.Add(-reach), now} {
		name := at.In(zone).Format(time.DateOnly)
		if _, asked := out[name]; asked {
			continue
		}
		day, _ := time.Parse(time.DateOnly, name) // it was formatted so
		if out[name], err = k.c.Matomo.Recorded(ctx, t, matomo.Slice{From: day, To: day}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
