package folder

import (
	"fmt"
	"maps"
	"path/filepath"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// WriteJob writes the files of a job, tokens included, into a folder of its own. What is there of it is written over.
func (f *Folder) WriteJob(id string, files plan.Files) error {
	dir := f.jobFolder(id)
	if err := f.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder of job %s: %w", id, err)
	}
	if err := f.putCopies(dir, files); err != nil {
		return err
	}
	present := plan.WithoutCopies(files)
	maps.DeleteFunc(present, func(_ string, data []byte) bool { return data == nil })
	if err := exchange.Publish(f.fs, dir, present); err != nil {
		return err
	}
	return f.sweepCopies(dir, files)
}

// JobFiles are the files of a job, by name; none where they were removed.
func (f *Folder) JobFiles(id string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range plan.Names {
		data, err := f.read(filepath.Join(exchange.JobFolder(id), name))
		if err != nil {
			return nil, err
		}
		if data != nil {
			files[name] = data
		}
	}
	return files, nil
}

// RemoveJob removes the files of a job; none are no error.
func (f *Folder) RemoveJob(id string) error {
	if err := f.fs.RemoveAll(f.jobFolder(id)); err != nil {
		return fmt.Errorf("remove files of job %s: %w", id, err)
	}
	return nil
}

func (f *Folder) jobFolder(id string) string { return filepath.Join(f.dir, exchange.JobFolder(id)) }
