package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// copiesOf are the copies among the files of a plan, by their names in TLSFolder.
func copiesOf(files map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for file, data := range files {
		if plan.IsCopy(file) {
			out[filepath.Base(file)] = data
		}
	}
	return out
}

// putCopies writes the copies of a plan below dir, those that are not there.
func (f *Folder) putCopies(dir string, files map[string][]byte) error {
	copies := copiesOf(files)
	dir = filepath.Join(dir, exchange.TLSFolder)
	maps.DeleteFunc(copies, func(name string, data []byte) bool {
		have, err := exchange.Read(f.fs, filepath.Join(dir, name))
		return err == nil && bytes.Equal(have, data)
	})
	if len(copies) == 0 {
		return nil
	}
	if err := f.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder of certificates: %w", err)
	}
	return exchange.Publish(f.fs, dir, copies)
}

// sweepCopies removes what is in the folder of copies below dir and neither belongs to the plan nor is named in its
// files, such as in one that was edited by hand.
func (f *Folder) sweepCopies(dir string, files map[string][]byte) error {
	dir = filepath.Join(dir, exchange.TLSFolder)
	there, err := afero.ReadDir(f.fs, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list certificates: %w", err)
	}
	copies := copiesOf(files)
	for _, old := range there {
		_, kept := copies[old.Name()]
		if kept || bytes.Contains(files[exchange.EnvFile], []byte(old.Name())) ||
			bytes.Contains(files[exchange.TargetsFile], []byte(old.Name())) {
			continue
		}
		if err := f.fs.RemoveAll(filepath.Join(dir, old.Name())); err != nil {
			return fmt.Errorf("remove certificate: %w", err)
		}
	}
	return nil
}
