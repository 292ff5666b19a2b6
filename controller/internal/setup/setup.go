// Package setup has the rules of the saved set-up: configuration, presets, URLs, funnels, events and targets. Each
// change is validated, saved, and published for the loadgen. It does not depend on HTTP or on a running loadgen;
// package plan makes the published files and package folder writes them.
package setup

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// The errors that callers may branch on. Invalid input is a problem.List that names its fields.
var (
	// ErrNotFound: no such preset, funnel or target.
	ErrNotFound = store.ErrNotFound
	// ErrNameTaken: another preset, funnel or target has the name.
	ErrNameTaken = store.ErrNameTaken
	// ErrStale: the configuration has changed since the given revision.
	ErrStale = store.ErrStale
)

// Service is the saved set-up and the exchange folder that it is published in. It is safe for concurrent use.
//
// A change of something that is published is validated, saved and published, even if its context ends meanwhile. If a
// file that it would write was edited by hand, nothing is saved and the error is a *folder.Conflict; edits of other
// files stay. A change that is saved but cannot be published is no error: Unpublished returns why, and Watch retries.
type Service struct {
	*folder.Folder
	store   *store.Store
	fs      afero.Fs
	presets string
	dir     string
	parsed  configCache
	pages   pageCache
}

// New returns the set-up in s, published in f. presets is the folder of the built-in presets in fsys; relative names of
// certificate files are relative to dir.
func New(s *store.Store, f *folder.Folder, fsys afero.Fs, presets, dir string) *Service {
	return &Service{Folder: f, store: s, fs: fsys, presets: presets, dir: dir}
}

// change saves and publishes, see Service. files are those that the change will write.
func change[T any](ctx context.Context, s *Service, save func(context.Context) (T, error), files ...string) (saved T,
	err error) {
	ctx = context.WithoutCancel(ctx)
	w, err := s.Lock(ctx)
	if err != nil {
		return saved, err
	}
	defer w.Unlock()
	if err := w.RefuseEdits(files...); err != nil {
		return saved, err
	}
	if saved, err = save(ctx); err != nil {
		return saved, err
	}
	if err := s.publish(ctx, w, nil, false); err != nil {
		s.SetUnpublished(err)
	}
	return saved, nil
}

// update is change without a result.
func (s *Service) update(ctx context.Context, save func(context.Context) error, files ...string) error {
	_, err := change(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, save(ctx) }, files...)
	return err
}

const maxName, maxDescription = 100, 500

// decodeInto decodes JSON that a user sent.
func decodeInto(what string, data []byte, into any) problem.List {
	var problems problem.List
	err := json.Unmarshal(data, into)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if mistyped.Field != "" {
			what = mistyped.Field
		}
		problems.Refuse(what, "", "is a "+mistyped.Value, "see the API documentation for its type")
	} else if err != nil {
		problems.Refuse(what, "", "is not valid JSON: "+err.Error(), "correct it")
	}
	return problems
}

// prefix puts a prefix before the place of every problem.
func prefix(at string, problems problem.List) problem.List {
	for i := range problems {
		problems[i].Where = at + problems[i].Where
	}
	return problems
}

// refuseMissingURL refuses a set-up with neither MATOMO_URL nor targets.
func refuseMissingURL(problems *problem.List) {
	problems.Refuse("MATOMO_URL", "", "is not set",
		"set it to the tracker URL, such as https://host/matomo.php, or add targets")
}

// refuseDuplicate refuses a name that is in names already, ignoring case, and adds it.
func refuseDuplicate(names map[string]bool, where, name, what string, problems *problem.List) {
	key := lower(name)
	if names[key] {
		problems.Refuse(where, name, "is used by another "+what, "choose a unique name")
	}
	names[key] = true
}

// checkText refuses invisible and direction-changing characters in a name and a description: in a list or an export
// they would look like others. at is the prefix of their place.
func checkText(at, name, description string, problems *problem.List) {
	if odd, found := textfile.FindInvisibleInLine(name); found {
		problems.Refuse(at+"name", "", "has "+odd.String(), "remove that character")
	}
	if odd, found := textfile.FindInvisible(description); found {
		problems.Refuse(at+"description", "", "has "+odd.String(), "remove that character")
	}
}
