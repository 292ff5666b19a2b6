package setup

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/problem"
)

// publish writes the saved set-up and starts nothing: ID and seed of a run in progress stay.
func (s *Service) publish(ctx context.Context, w *folder.Writer, force map[string]bool, strict bool) error {
	in, err := s.input(ctx, nil, false)
	if err != nil {
		return err
	}
	want, err := in.Files(s.fs, w.RunKeys())
	if err != nil {
		return err
	}
	_, err = w.Write(ctx, want, force, strict)
	return err
}

// Publish publishes the saved set-up and starts nothing. Edits by hand are handled as by Start.
func (s *Service) Publish(ctx context.Context) error {
	w, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	return s.publish(ctx, w, nil, true)
}

// Start publishes the saved set-up with overrides for a start, and returns the identity of the run: RUN_ID and RUN_SEED
// if they are set, else those of drawn. A file that was edited by hand stays if the controller has nothing new for it,
// else the error is a *folder.Conflict. The error is a problem.List if the set-up is invalid.
func (s *Service) Start(ctx context.Context, overrides map[string]any, drawn plan.Identity) (plan.Identity, error) {
	w, err := s.Lock(ctx)
	if err != nil {
		return plan.Identity{}, err
	}
	defer w.Unlock()
	in, err := s.input(ctx, overrides, false)
	if err != nil {
		return plan.Identity{}, err
	}
	if in.Targets == nil && in.Settings["MATOMO_URL"] == "" {
		var problems problem.List
		refuseMissingURL(&problems)
		return plan.Identity{}, problems.Err()
	}
	id, err := in.IdentityOf(drawn)
	if err != nil {
		return plan.Identity{}, err
	}
	want, err := in.Files(s.fs, id.StartKeys())
	if err != nil {
		return plan.Identity{}, err
	}
	return id, w.Start(ctx, want, nil)
}

// PublishRerun publishes archived files for a start, see plan.Access. The errors are *plan.MissingSecrets, and
// *folder.Conflict if a file was edited by hand.
func (s *Service) PublishRerun(ctx context.Context, archive map[string][]byte, id plan.Identity) error {
	w, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	access, err := s.access(ctx)
	if err != nil {
		return err
	}
	want, err := access.Files(s.fs, archive, id.StartKeys())
	if err != nil {
		return err
	}
	if err := w.RefuseOtherEdits(want); err != nil {
		return err
	}
	return w.Start(ctx, want, folder.AllFiles())
}

// PendingChanges returns the differences of a start from the plan that was started last, if there is one, and all files
// that were edited by hand. It only waits for writers if it finds an edit.
func (s *Service) PendingChanges(ctx context.Context) (changes []plan.Difference, edited []string, err error) {
	snapshot, err := s.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(snapshot.Edited().Files) > 0 {
		w, err := s.Lock(ctx)
		if err != nil {
			return nil, nil, err
		}
		defer w.Unlock()
		snapshot = w.Snapshot
	}
	changes, edited = []plan.Difference{}, append([]string{}, snapshot.Edited().Files...)
	started, err := s.Started(ctx)
	if err != nil || started == nil {
		return changes, edited, err
	}
	in, err := s.input(ctx, nil, false)
	if err != nil {
		return nil, nil, err
	}
	want, err := in.Files(s.fs, nil)
	if err != nil {
		return nil, nil, err
	}
	next, err := snapshot.Merge(want, nil)
	if err != nil {
		return nil, nil, err
	}
	changes = in.Differences(started, next.Final)
	for _, file := range next.Conflict.Files {
		changes = append(changes,
			plan.EditedByHand(file, started[file], want[file], next.Final[file], next.Conflict.Unreadable[file]))
	}
	return changes, edited, nil
}

// Resolution is how an edit by hand is resolved.
type Resolution string

// The resolutions.
const (
	// Import imports the edit into the saved set-up.
	Import Resolution = "import"
	// Overwrite discards the edit.
	Overwrite Resolution = "overwrite"
)

// Resolve resolves the edits of files, of all edited ones if none is named, and publishes the saved set-up. The error
// is a problem.List if a resolution or file is unknown or an edit cannot be imported.
func (s *Service) Resolve(ctx context.Context, how Resolution, files ...string) error {
	w, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	var problems problem.List
	if how != Import && how != Overwrite {
		problems.Refuse("resolution", string(how), "is not a resolution", "use import or overwrite")
	}
	edited, force := w.Edited(), map[string]bool{}
	for _, file := range files {
		if force[file] = slices.Contains(edited.Files, file); !force[file] {
			problems.Refuse("file", file, "was not edited by hand", "name an edited file, or omit it for all")
		}
	}
	for _, file := range edited.Files {
		force[file] = force[file] || len(files) == 0
		if why := edited.Unreadable[file]; !force[file] || why == nil {
			continue
		} else if s.IsFolder(file) {
			problems.Refuse(file, "", "is a folder", "move it away")
		} else if how == Import {
			problems.Refuse(file, "", "cannot be read: "+why.Error(), "overwrite it or put a file in its place")
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	dir, err := s.Path()
	if err != nil {
		return err
	}
	for _, file := range edited.Files {
		if force[file] && how == Import {
			if err := s.importFile(ctx, dir, file, w.Data(file)); err != nil {
				return err
			}
		}
	}
	return s.publish(ctx, w, force, false)
}

// retryInterval is how often publishing is retried.
const retryInterval = 5 * time.Second

// errUnfinished is why the folder is out of date right after a start of the controller.
var errUnfinished = errors.New("the controller ended before all files were written")

// Watch publishes saved changes that a change, or an earlier controller, could not publish, until ctx is done. Each new
// error is logged once.
func (s *Service) Watch(ctx context.Context, log *slog.Logger) {
	unfinished, err := s.HasUnfinishedWrite(ctx)
	if err != nil {
		log.ErrorContext(ctx, "cannot check whether all saved changes are published", "err", err)
	}
	if unfinished {
		s.SetUnpublished(errUnfinished)
	}
	logged := ""
	lifecycle.Every(ctx, retryInterval, func(ctx context.Context) {
		if s.Unpublished() == nil {
			return
		}
		switch err := s.catchUp(ctx); {
		case err == nil:
			log.InfoContext(ctx, "the saved changes are published")
			logged = ""
		case ctx.Err() == nil && err.Error() != logged:
			log.ErrorContext(ctx, "the saved changes cannot be published; retrying", "err", err)
			logged = err.Error()
		}
	})
}

// catchUp publishes the saved set-up; edits by hand stay.
func (s *Service) catchUp(ctx context.Context) error {
	w, err := s.Lock(ctx)
	if err == nil {
		defer w.Unlock()
		err = s.publish(ctx, w, nil, false)
	}
	if err != nil && ctx.Err() == nil {
		s.SetUnpublished(err)
	}
	return err
}
