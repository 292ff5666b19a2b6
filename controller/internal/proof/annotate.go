package proof

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

// Annotated is what was written into one target's graph.
type Annotated struct {
	Target string   `json:"target"`
	Notes  []string `json:"notes"`
	// Error tells why it was not.
	Error string `json:"error,omitempty"`
}

// Annotate writes the begin of a run, and its end where it has one, into the graphs of its targets. Errors as of Load.
func (k *Keeper) Annotate(ctx context.Context, runID string) ([]Annotated, error) {
	r, err := k.Load(ctx, runID)
	if err != nil {
		return nil, err
	}
	out := make([]Annotated, len(r.Targets))
	for i, t := range r.Targets {
		out[i] = k.annotate(ctx, r, t)
	}
	return out, nil
}

func (k *Keeper) annotate(ctx context.Context, r Run, t target.Target) Annotated {
	a := Annotated{Target: t.Name, Notes: []string{}}
	zone := r.Zone
	if site, err := k.c.Matomo.Site(ctx, t); err == nil {
		zone = zoneOf(site.Timezone, zone)
	}
	visits := r.Summary.Targets[t.Name].Visits
	for _, n := range []struct {
		at   time.Time
		text string
	}{
		{r.Summary.Started, "begins"},
		{r.Summary.Ended, fmt.Sprintf("ends (%s): %d visits", r.Summary.Reason, visits.Complete+visits.Partial)},
	} {
		if n.at.IsZero() {
			continue
		}
		note := fmt.Sprintf("Trafficinator run %s %s at %s", r.Summary.RunID, n.text, n.at.In(zone).Format("15:04"))
		if err := k.c.Matomo.Annotate(ctx, t, n.at.In(zone), note); err != nil {
			a.Error = err.Error() + "; give a token whose user may view the site"
			return a
		}
		a.Notes = append(a.Notes, note)
	}
	return a
}
