package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/spf13/afero"
)

// OpenReadOnly opens the database at path to read what is not encrypted, also while a controller has it open. Methods
// that write must not be called. The errors are fs.ErrNotExist, ErrNewer and ErrOlder.
func OpenReadOnly(ctx context.Context, fsys afero.Fs, path string) (*Store, error) {
	if _, err := fsys.Stat(path); err != nil { // SQLite would create it
		return nil, fmt.Errorf("open database: %w", err)
	}
	read, err := connect(path, url.Values{"_query_only": {"on"}}, maxReaders)
	if err != nil {
		return nil, err
	}
	s := &Store{read: read, fs: fsys, path: path, now: time.Now}
	if err := s.checkVersion(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) checkVersion(ctx context.Context) error {
	var version int64
	if err := s.read.GetContext(ctx, &version, "SELECT max(version_id) FROM goose_db_version"); err != nil {
		return fmt.Errorf("read version of database: %w", err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	var newest int64 // of the last name: they are sorted
	if _, err := fmt.Sscanf(files[len(files)-1], "migrations/%d_", &newest); err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	switch {
	case version > newest:
		return versionError(version, newest, ErrNewer)
	case version < newest:
		return versionError(version, newest, ErrOlder)
	}
	return nil
}
