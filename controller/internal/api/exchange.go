package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/problem"
)

// pendingChanges is what a restart would change.
type pendingChanges struct {
	Restart bool              `json:"restart_needed"`
	Changes []plan.Difference `json:"changes" doc:"What differs from the plan that was started last."`
	Edited  []string          `json:"edited_files" doc:"Shared files that were edited by hand; a start uses them as they are."`
	Fault   string            `json:"fault,omitempty" doc:"Why the exchange folder or a certificate cannot be looked at; changes and edited_files are empty then."`
	Publication
}

// Publication tells whether the exchange folder holds what is saved. It is exported because huma leaves out what an
// unexported struct embeds.
type Publication struct {
	Published bool   `json:"published" doc:"false: it is saved, but could not be written to the exchange folder yet; that is tried again."`
	Cause     string `json:"not_published_because,omitempty"`
}

// publication is how it stands; the Publisher logs why it lags.
func (s *server) publication() Publication {
	behind := s.Setup.Unpublished()
	if behind == nil {
		return Publication{Published: true}
	}
	why := errors.Unwrap(behind)
	if fault, found := s.Disk.Report(why); found {
		return Publication{Cause: fault.Error()}
	}
	return Publication{Cause: why.Error()}
}

type resolveRequest struct {
	Body struct {
		Resolution setup.Resolution `json:"resolution" enum:"import,overwrite" doc:"import takes the edit over into the saved set-up; overwrite loses it."`
		Files      []string         `json:"files,omitempty" maxItems:"5" doc:"Their names; left out: all that were edited."`
	}
}

var _ = routes((*server).exchange)

func (s *server) exchange() {
	get(s, "/api/exchange", tagConfig, "What a restart would change, and what was edited by hand", s.pending)
	reply(s, op(http.MethodPost, "/api/exchange/resolve", tagConfig,
		"Import or overwrite shared files that were edited by hand"),
		func(ctx context.Context, in *resolveRequest) (pendingChanges, error) {
			err := s.Setup.Resolve(context.WithoutCancel(ctx), in.Body.Resolution, in.Body.Files...)
			if err != nil {
				return pendingChanges{}, err
			}
			return s.pending(ctx)
		})
}

// pending tells what a restart would change. A folder that cannot be looked at is no error: what is saved can be shown.
func (s *server) pending(ctx context.Context) (pendingChanges, error) {
	a := pendingChanges{Changes: []plan.Difference{}, Edited: []string{}, Publication: s.publication()}
	changes, edited, err := s.Setup.PendingChanges(ctx)
	if fault, found := s.Disk.Report(err); found {
		a.Fault = fault.Error()
		return a, nil
	}
	if problems := (problem.List)(nil); errors.As(err, &problems) { // such as of a certificate that is no longer there
		a.Fault = problems.Error()
		return a, nil
	}
	if err != nil {
		return a, err
	}
	a.Restart, a.Changes, a.Edited = len(changes) > 0 && s.Runs.Status().Active(), changes, edited
	return a, nil
}
