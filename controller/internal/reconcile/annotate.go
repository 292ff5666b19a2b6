package reconcile

import (
	"context"
	"fmt"
	"time"
)

// Annotated is the result of annotating one site.
type Annotated struct {
	Target string   `json:"target" doc:"Name of the target."`
	Notes  []string `json:"notes" doc:"Annotations that were added."`
	Error  string   `json:"error,omitempty" doc:"Why an annotation could not be added."`
}

// Annotate adds annotations for the start and the end of a run to the graphs of its sites. The errors are those of
// Load.
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
	zone := zoneOf(ctx, svc.cfg.Matomo, s.Target, r.Zone)
	sent, _ := sentTo(r.Summary, s)
	visits := sent.Visits.Complete + sent.Visits.Partial
	for _, n := range []struct {
		at   time.Time
		text string
	}{
		{r.Summary.Started, "begins"},
		{r.Summary.Ended, fmt.Sprintf("ends (%s): %d visits", r.Summary.Reason, visits)},
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
