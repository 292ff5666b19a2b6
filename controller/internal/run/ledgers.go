package run

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// Ledgers reads the ledgers of record that the loadgen keeps in dir, and jobs in their folders below it. The lives of a
// run whose loadgen was started again are added up. A run without a ledger has nil.
func Ledgers(fsys afero.Fs, dir string) func(runID string) ([]byte, error) {
	return func(runID string) ([]byte, error) {
		for _, in := range []string{dir, filepath.Join(dir, exchange.JobFolder(runID))} {
			data, err := statedir.Read(fsys, in, runID)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			lives, err := statedir.Lives(fsys, in, runID)
			if err != nil || len(lives) == 0 {
				return data, err
			}
			return whole(fsys, lives, data)
		}
		return nil, nil
	}
}

// HasLedger tells whether the loadgen keeps anything of a run in dir.
func HasLedger(fsys afero.Fs, dir string) func(runID string) (bool, error) {
	return func(runID string) (bool, error) {
		for _, in := range []string{dir, filepath.Join(dir, exchange.JobFolder(runID))} {
			if _, err := statedir.Find(fsys, in, runID); !errors.Is(err, fs.ErrNotExist) {
				return err == nil, err
			}
		}
		return false, nil
	}
}

// whole adds up the lives of a run.
func whole(fsys afero.Fs, earlier []string, data []byte) ([]byte, error) {
	var last record.Summary
	if json.Unmarshal(data, &last) != nil {
		return data, nil // a ledger that cannot be read tells nothing
	}
	var lives []record.Summary
	for _, path := range earlier {
		body, err := exchange.Read(fsys, path)
		if err != nil {
			return nil, err
		}
		var s record.Summary
		if err := json.Unmarshal(body, &s); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		// Until a life has written its own ledger the one before stands under both names.
		if !s.Started.Equal(last.Started) {
			lives = append(lives, s)
		}
	}
	slices.SortFunc(lives, func(a, b record.Summary) int { return cmp.Compare(a.FirstVisit, b.FirstVisit) })
	all := record.Merge(append(lives, last))
	return all.Encode()
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

// byLedger is what the ledger of the current run tells of a loadgen whose telemetry cannot be reached from here. One
// that idles has none.
func (k *Control) byLedger(l launcher.Status) Plan {
	st := k.Status()
	if !st.Active() {
		return Plan{}
	}
	data, err := k.c.Ledger(st.Run.ID)
	if err != nil {
		return Plan{} // it is looked at again
	}
	r := readRecord(data)
	if r.RunID == "" || r.Started.Before(l.Started) || !r.Ended.IsZero() {
		return Plan{} // of an earlier life, or of one that ends
	}
	return Plan{Hash: r.PlanHash, RunID: r.RunID, Phase: "running", OpenVisits: r.OpenVisits, FinishBy: r.FinishBy}
}
