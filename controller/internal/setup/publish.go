package setup

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/problem"
)

// publish writes the saved set-up and starts nothing: the id and the seed of the run that may go on stay.
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

// Publish publishes the saved set-up and starts nothing. Edits by hand are treated as in Start.
func (s *Service) Publish(ctx context.Context) error {
	w, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	return s.publish(ctx, w, nil, true)
}

// Start publishes the saved set-up, with overrides laid over its knobs, for a start, and returns what fixes the run:
// RUN_ID and RUN_SEED of the knobs where they are set, else those of drawn. A file that was edited by hand stays as it
// is where the controller has nothing new to write into it, else the error is a *folder.Conflict. The error is a
// problem.List where the set-up cannot run.
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
		problems.Refuse("MATOMO_URL", "", "is not set",
			"set it to the tracker URL, such as https://host/matomo.php, or add targets")
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

// PublishRerun publishes the files that plan.Archive gave for a start, see plan.Access. The errors are
// *plan.MissingSecrets, and *folder.Conflict where a file was edited by hand.
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

// PendingChanges are the differences of what a start would publish from the plan that was started last, none where none was,
// and the files that were edited by hand, whether or not the controller has something to write into them. It does not
// wait for those that write unless it finds an edit.
func (s *Service) PendingChanges(ctx context.Context) (changes []plan.Difference, edited []string, err error) {
	look, err := s.Snapshot(ctx)
	if err == nil && len(look.Edited().Files) > 0 {
		w, again := s.Lock(ctx)
		if again != nil {
			return nil, nil, again
		}
		defer w.Unlock()
		look = w.Snapshot
	}
	if err != nil {
		return nil, nil, err
	}
	changes, edited = []plan.Difference{}, append([]string{}, look.Edited().Files...)
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
	next, err := look.Merge(want, nil)
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

// Resolution is what shall become of an edit by hand.
type Resolution string

// The resolutions.
const (
	// Import takes the edit over into the saved set-up.
	Import Resolution = "import"
	// Overwrite loses the edit.
	Overwrite Resolution = "overwrite"
)

// Resolve settles the edits of files, or of all that were edited where none is named, and publishes the saved set-up.
// The error is a problem.List where a resolution or a file is unknown or an edit cannot be imported.
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
			problems.Refuse("file", file, "was not edited by hand", "name one that was, or none for all")
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

// retryEvery is how often it is tried again to publish what is saved.
const retryEvery = 5 * time.Second

// errUnfinished is why the folder lags right after a start of the controller.
var errUnfinished = errors.New("the controller ended before all files were written")

// Watch publishes what is saved as soon as it can be, where a change could not be or a controller before this one did
// not come to it, until ctx is done. Each new reason why it cannot be is logged once.
func (s *Service) Watch(ctx context.Context, log *slog.Logger) {
	unfinished, err := s.HasUnfinishedWrite(ctx)
	if err != nil {
		log.ErrorContext(ctx, "it is not known whether all that was saved is published", "err", err)
	}
	if unfinished {
		s.SetUnpublished(errUnfinished)
	}
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	logged := ""
	for {
		if s.Unpublished() != nil {
			switch err := s.catchUp(ctx); {
			case err == nil:
				log.InfoContext(ctx, "what was saved is published")
				logged = ""
			case ctx.Err() == nil && err.Error() != logged:
				log.ErrorContext(ctx, "what was saved cannot be published; it is tried again", "err", err)
				logged = err.Error()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// catchUp publishes what is saved; a hand edit stays.
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
