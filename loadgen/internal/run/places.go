package run

import (
	"errors"
	"path/filepath"
	"syscall"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Places tries to write where a run will, because a run that cannot tell its end is lost. It leaves nothing behind but
// the state folder itself.
func Places(fsys afero.Fs, s spec.Spec) (problems problem.List) {
	if _, err := state.Open(fsys, s.StateDir); err != nil {
		problems.Refuse("STATE_DIR", s.StateDir, err.Error(),
			unlessFull(err, "name a folder that this user may write to"))
	}
	if s.SummaryFile != "" {
		if err := state.Probe(fsys, filepath.Dir(s.SummaryFile)); err != nil {
			problems.Refuse("SUMMARY_FILE", s.SummaryFile, err.Error(),
				unlessFull(err, "name a file in a folder that exists and that this user may write to"))
		}
	}
	return problems
}

// unlessFull is the cure of a place that cannot be written: that of a full disk is another.
func unlessFull(err error, cure string) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "make room there, or name a place on another disk"
	}
	return cure
}
