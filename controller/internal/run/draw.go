package run

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/record"
)

// Draw makes a run id that sorts by time and a seed that every JSON reader can hold (below 2^53).
func Draw() Identity {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	id := time.Now().UTC().Format("20060102-150405-") + fmt.Sprintf("%x", b[8:])
	return Identity{ID: id, Seed: binary.BigEndian.Uint64(b[:8]) >> 11}
}

// Ledgers reads the ledgers of record that the loadgen keeps in dir, and jobs in their folders below it.
func Ledgers(fsys afero.Fs, dir string) func(runID string) ([]byte, error) {
	return func(runID string) ([]byte, error) {
		data, err := ifThere(fsys, filepath.Join(dir, runID+".json"))
		if data == nil && err == nil {
			data, err = ifThere(fsys, filepath.Join(dir, exchange.JobFolder(runID), runID+".json"))
		}
		return data, err
	}
}

// Cap reads what the loadgen keeps in dir of the cap on visits; nil where there is none.
func Cap(fsys afero.Fs, dir string) func() ([]byte, error) {
	return func() ([]byte, error) { return ifThere(fsys, filepath.Join(dir, record.CapFile)) }
}

func ifThere(fsys afero.Fs, path string) ([]byte, error) {
	data, err := exchange.Read(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
