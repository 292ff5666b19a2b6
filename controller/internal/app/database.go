package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/problem"
)

// openStore opens the database with its key. One that is missing is drawn, and written only once the database has taken
// it: a start that is refused leaves nothing behind.
func (a *App) openStore(ctx context.Context) error {
	h, s := a.host, a.settings
	own := h.Env["SECRET_KEY_FILE"] == ""
	key, err := store.ReadKey(h.FS, s.SecretKeyPath)
	drawn := own && errors.Is(err, fs.ErrNotExist)
	if drawn {
		key, err = store.NewKey(), nil
	}
	if err != nil {
		return a.refuseKey(err)
	}
	a.warnOfNewDatabase(own && !drawn)
	a.store, err = store.Open(ctx, h.FS, s.DBPath, key, time.Now)
	if errors.Is(err, store.ErrWrongKey) {
		return a.refuseKey(err)
	}
	if err != nil {
		return err
	}
	a.parts.Add(lifecycle.Closer("database", a.store.Close))
	if drawn {
		return key.Write(h.FS, s.SecretKeyPath)
	}
	return nil
}

// refuseKey is err as a problem of the setting that names the key, or of its file where none does.
func (a *App) refuseKey(err error) error {
	var problems problem.List
	if path := a.settings.SecretKeyPath; a.host.Env["SECRET_KEY_FILE"] != "" {
		problems.Refuse("SECRET_KEY_FILE", path, err.Error(),
			"set it to the key file of this database, 64 hex digits")
	} else {
		problems.Refuse(path, "", err.Error(), "restore the key file, or set SECRET_KEY_FILE to it")
	}
	return problems.Err()
}

// warnOfNewDatabase says so where there is no database, or an empty one, beside files that only an earlier one can have
// caused.
func (a *App) warnOfNewDatabase(hasKey bool) {
	h, s := a.host, a.settings
	if info, err := h.FS.Stat(s.DBPath); err == nil && info.Size() > 0 || err != nil &&
		!errors.Is(err, fs.ErrNotExist) {
		return
	}
	var found []string
	if hasKey {
		found = append(found, s.SecretKeyPath)
	}
	for _, name := range []string{exchange.EnvFile, exchange.TargetsFile} {
		path := filepath.Join(s.ExchangeDir, name)
		if _, err := h.FS.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	if len(found) > 0 {
		a.log.Warn("the database is new, but files of an earlier one are here; what was saved in that is gone unless "+
			"you bring it, or a backup of it, back",
			"database", s.DBPath, "found", found)
	}
}

// warnOfModes names what others on this machine may read or change, and should not.
func (a *App) warnOfModes() {
	s := a.settings
	own := []string{s.ControllerDir(), s.ExchangeDir, s.StateDir, s.APIKeyPath(), s.DBPath}
	if a.host.Env["SECRET_KEY_FILE"] == "" {
		own = append(own, s.SecretKeyPath)
	}
	for _, path := range own {
		info, err := a.host.FS.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		a.log.Warn("other users of this machine can read this folder; run chmod go= on it",
			"path", path, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
}

// sweep removes what earlier lives that were killed have left half-written: it may hold tokens, or be a whole database.
func (a *App) sweep() {
	s := a.settings
	dirs := []string{s.ControllerDir(), filepath.Dir(s.DBPath), s.ExchangeDir,
		filepath.Join(s.ExchangeDir, exchange.TLSFolder)}
	below, err := afero.Glob(a.host.FS, filepath.Join(s.ExchangeDir, exchange.JobFolder("*")))
	if err != nil {
		a.log.Warn("the folders of jobs cannot be listed", "err", err)
	}
	dirs = append(dirs, below...)
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		removed, err := disk.RemoveTempFiles(a.host.FS, dir)
		if err != nil {
			a.log.Warn("half-written files cannot be removed", "folder", dir, "err", err)
		}
		if len(removed) > 0 {
			a.log.Info("removed temporary files of an earlier process", "folder", dir, "files", removed)
		}
	}
}
