// Package setup owns what a person saves: the rules of configuration, presets, pages, funnels, events, targets and the
// whole of them, and the one way in which each is changed: checked, saved, and published for the loadgen. It knows
// neither HTTP nor whether a loadgen runs; the files themselves are package plan's, the folder that they lie in package
// folder's.
package setup

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
)

// The errors on which a caller may branch. Faults of an input are a problem.List that names its fields.
var (
	// ErrNotFound: there is no such preset, funnel or target.
	ErrNotFound = store.ErrNotFound
	// ErrNameTaken: another preset, funnel or target has the name.
	ErrNameTaken = store.ErrNameTaken
	// ErrStale: the configuration was changed since the revision that the caller has seen.
	ErrStale = store.ErrStale
)

// Service is the saved things of a controller and the exchange folder that holds them for the loadgen. All its methods
// may be called at once.
//
// What changes a thing that is published checks, saves and publishes it, also where its context ends meanwhile. Where a
// file that it would write was edited by hand, nothing is saved and the error is a *folder.Conflict; edits of other
// files stay. What is saved and cannot be published is no error: Unpublished tells why, and Watch tries it again.
type Service struct {
	*folder.Folder
	store   *store.Store
	fs      afero.Fs
	presets string
	dir     string
	parsed  configCache
	pages   pageCache
}

// New is the set-up in a database, published in f. presets is the folder of the built-in presets in fsys, dir that in
// which relative names of certificate files begin.
func New(s *store.Store, f *folder.Folder, fsys afero.Fs, presets, dir string) *Service {
	return &Service{Folder: f, store: s, fs: fsys, presets: presets, dir: dir}
}

// change saves and publishes, see Service. files are those that the change is going to write.
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

// remove is change for what is deleted.
func (s *Service) remove(ctx context.Context, id int64, del func(context.Context, int64) error, file string) error {
	_, err := change(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, del(ctx, id) }, file)
	return err
}

const (
	maxName, maxDescription = 100, 500
)

// decodeInto reads JSON that a person sent.
func decodeInto(what string, data []byte, into any) problem.List {
	var problems problem.List
	err := json.Unmarshal(data, into)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		if mistyped.Field != "" {
			what = mistyped.Field
		}
		problems.Refuse(what, "", "is a "+mistyped.Value, "send what the description of the API says")
	case err != nil:
		problems.Refuse(what, "", "is not valid JSON: "+err.Error(), "correct it")
	}
	return problems
}
