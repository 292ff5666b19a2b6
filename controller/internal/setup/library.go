// Package setup owns the rules of what a person saves: configuration, presets, pages, funnels, events, targets and
// the set-up as a whole. It knows neither HTTP nor the exchange folder nor whether a loadgen runs.
package setup

import (
	"encoding/json"
	"errors"

	"github.com/spf13/afero"

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

// Library is the saved things of a controller. All its methods may be called at once.
type Library struct {
	store   *store.Store
	fs      afero.Fs
	presets string
	folder  string
	pages   pageCache
}

// New is the library of a database; presets is the folder of the built-in presets in fsys, folder that in which
// relative names of certificate files begin.
func New(s *store.Store, fsys afero.Fs, presets, folder string) *Library {
	return &Library{store: s, fs: fsys, presets: presets, folder: folder}
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
		problems.Refuse(what, "", "is not JSON: "+err.Error(), "correct it")
	}
	return problems
}
