package reconcile

import (
	"context"
	"fmt"
	"time"
)

// Annotated is what was written into one target's graph.
type Annotated struct {
	Target string   `json:"target"`
	Notes  []string `json:"notes"`
	// Error tells why it was not.
	Error string `json:"error,omitempty"`
}

// Annotate writes the begin of a run, and its end where it has one, into the graphs of its targets. Errors as of Load.
func (svc *Service) Annotate(ctx context.Context, runID string) ([]Annotated, error) {
	r, err := svc.Load(ctx, runID)
	if err != nil {
		return nil, err
	}
	out := make([]Annotated, len(r.Sites))
	for i, s := range r.Sites {
		out[i] = svc.annotate(ctx, r, s)
	}
	return out, nil
}

func (svc *Service) annotate(ctx context.Context, r Run, s Site) Annotated {
	a := Annotated{Target: s.Name, Notes: []string{}, Error: s.Error}
	if s.Error != "" {
		return a
	}
	zone := r.Zone
	if site, err := svc.cfg.Matomo.Site(ctx, s.Target); err == nil {
		zone = zoneOf(&site, zone)
	}
	sent, _ := sentTo(r.Summary, s)
	visits := sent.Visits
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
		if err := svc.cfg.Matomo.Annotate(ctx, s.Target, n.at.In(zone), note); err != nil {
			a.Error = errorOf(err, s)
			return a
		}
		a.Notes = append(a.Notes, note)
	}
	return a
}
