package folder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Job writes the files of a job, tokens included, into a folder of its own. What is there of it is written over.
func (p *Publisher) Job(s setup.SetUp, id Identity) error {
	files, err := build(p.fs, s, keysOf(id, true))
	if err != nil {
		return err
	}
	if err := p.fs.MkdirAll(p.jobFolder(id.ID), 0o700); err != nil {
		return fmt.Errorf("make folder of job %s: %w", id.ID, err)
	}
	return p.putJob(id.ID, files)
}

// putJob writes the files of a job into its folder.
func (p *Publisher) putJob(id string, files map[string][]byte) error {
	dir := p.jobFolder(id)
	if err := p.putCopies(dir, files); err != nil {
		return err
	}
	present := withoutCopies(files)
	maps.DeleteFunc(present, func(_ string, data []byte) bool { return data == nil })
	if err := exchange.Publish(p.fs, dir, present); err != nil {
		return err
	}
	return p.sweepCopies(dir, files)
}

// JobFiles are the files of a job, by name; none where they were removed.
func (p *Publisher) JobFiles(id string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, file := range names {
		data, err := p.read(filepath.Join(exchange.JobFolder(id), file))
		if err != nil {
			return nil, err
		}
		if data != nil {
			files[file] = data
		}
	}
	return files, nil
}

// RemoveJob removes the files of a job; none are no error.
func (p *Publisher) RemoveJob(id string) error {
	if err := p.fs.RemoveAll(p.jobFolder(id)); err != nil {
		return fmt.Errorf("remove files of job %s: %w", id, err)
	}
	return nil
}

func (p *Publisher) jobFolder(id string) string {
	return filepath.Join(p.dir, exchange.JobFolder(id))
}

// RenewJob writes how the targets are reached now, tokens included, into the files of a job, where that is saved for
// the same addresses: what ended it may have been its token. One that is no longer saved stays as it was.
func (p *Publisher) RenewJob(ctx context.Context, id string) error {
	files, err := p.JobFiles(id)
	if err != nil || len(files) == 0 {
		return err
	}
	keys, err := runKeysOf(files[exchange.EnvFile])
	if err != nil {
		return err
	}
	kept, err := Kept(files)
	if err != nil {
		return err
	}
	ways, err := p.library.Ways(ctx)
	if err != nil {
		return err
	}
	renewed, err := p.unmask(kept, ways, keys)
	var lost *Lost
	if errors.As(err, &lost) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.putJob(id, renewed)
}
