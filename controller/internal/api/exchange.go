package api

import (
	"context"
	"errors"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/problem"
)

// pendingChanges are the changes that a restart would apply.
type pendingChanges struct {
	Restart bool              `json:"restart_needed" doc:"Whether a run is in progress that uses an earlier plan."`
	Changes []plan.Difference `json:"changes" doc:"Differences from the plan that was started last."`
	Edited  []string          `json:"edited_files" doc:"Shared files that were edited by hand. A start uses them as they are."`
	Fault   string            `json:"fault,omitempty" doc:"Why the exchange folder or a certificate cannot be read; changes and edited_files are empty in that case."`
	Publication
}

// Publication reports whether the exchange folder is up to date. It is exported because huma ignores embedded structs
// that are not.
type Publication struct {
	Published bool   `json:"published" doc:"Whether the change is written to the exchange folder. If not, it is saved, and writing is retried automatically."`
	Cause     string `json:"not_published_because,omitempty" doc:"Why the exchange folder could not be written."`
}

func (s *server) publication() Publication {
	behind := s.Setup.Unpublished()
	if behind == nil {
		return Publication{Published: true}
	}
	err := errors.Unwrap(behind)
	if fault, found := s.Disk.Report(err); found {
		err = fault
	}
	return Publication{Cause: err.Error()}
}

type resolveRequest struct {
	Body struct {
		Resolution setup.Resolution `json:"resolution" enum:"import,overwrite" doc:"import saves the edits as part of the set-up; overwrite discards them."`
		Files      []string         `json:"files,omitempty" maxItems:"5" doc:"Names of the files. Default: all edited files."`
	}
}

var _ = addRoutes((*server).exchange)

func (s *server) exchange() {
	handlePlain(s, get("/api/exchange", tagConfig, "Get pending changes and files edited by hand"), s.pendingChanges)
	handle(s, post("/api/exchange/resolve", tagConfig, "Import or overwrite files edited by hand"),
		func(ctx context.Context, in *resolveRequest) (pendingChanges, error) {
			err := s.Setup.Resolve(context.WithoutCancel(ctx), in.Body.Resolution, in.Body.Files...)
			if err != nil {
				return pendingChanges{}, err
			}
			return s.pendingChanges(ctx)
		})
}

// pendingChanges returns what a restart would change. An unreadable folder is no error: the saved set-up can be shown.
func (s *server) pendingChanges(ctx context.Context) (pendingChanges, error) {
	a := pendingChanges{Changes: []plan.Difference{}, Edited: []string{}, Publication: s.publication()}
	changes, edited, err := s.Setup.PendingChanges(ctx)
	var problems problem.List // such as a missing certificate
	fault, found := s.Disk.Report(err)
	switch {
	case found:
		a.Fault = fault.Error()
	case errors.As(err, &problems):
		a.Fault = problems.Error()
	case err != nil:
		return a, err
	default:
		a.Restart, a.Changes, a.Edited = len(changes) > 0 && s.Runs.Status().Active(), changes, edited
	}
	return a, nil
}
