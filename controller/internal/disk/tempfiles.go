package disk

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/spf13/afero"
)

// halfWritten are the names that files have until they are whole: those of afero.TempFile, which end in nine digits,
// for what is published and for probes, and copies of the database with SQLite's own files beside them.
var halfWritten = regexp.MustCompile(`^\.(.+\.[0-9]{9}|backup-[0-9]{9}\.db(-journal|-wal|-shm)?)$`)

// RemoveTempFiles removes the files in dir that were never finished, because who wrote them was killed, and returns their names.
// Nobody may be writing there. A folder that is not there has none. The error names every file that stays.
func RemoveTempFiles(fsys afero.Fs, dir string) (removed []string, err error) {
	files, err := afero.ReadDir(fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var faults []error
	for _, info := range files {
		if !info.Mode().IsRegular() || !halfWritten.MatchString(info.Name()) {
			continue
		}
		if err := fsys.Remove(filepath.Join(dir, info.Name())); err != nil {
			faults = append(faults, err)
			continue
		}
		removed = append(removed, info.Name())
	}
	return removed, errors.Join(faults...)
}
