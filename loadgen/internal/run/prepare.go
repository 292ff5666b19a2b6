package run

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/alarm"
	"github.com/puttrix/trafficinator/loadgen/internal/capacity"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/search"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// A place that is taken may be so for a moment alone, because another start closes the ledger of this run, which was
// killed.
const (
	takeTries = 10
	takePause = 50 * time.Millisecond
)

// errStarted means that another process made this start since this one looked, and has ended.
var errStarted = errors.New("this start was made before")

// prepare takes the run's place in the state folder and finds where it goes on. Problems refuse it before anything is
// sent; it does not start where another process has made this start.
func (s *session) prepare(ctx context.Context) (starts bool, problems problem.List) {
	k := &s.plan.Spec
	switch err := s.take(ctx); {
	case errors.Is(err, errStarted):
		return false, nil
	case errors.Is(err, state.ErrRunning):
		problems.Refuse("RUN_ID", s.plan.RunID, err.Error()+" with the same STATE_DIR",
			"wait until it has ended, or choose another RUN_ID")
		return false, problems
	case err != nil:
		problems.Refuse("STATE_DIR", k.StateDir, err.Error(),
			unlessFull(err, "name a folder that this user may write to"))
		return false, problems
	}
	if k.BackfillEnabled {
		return true, s.prepareBackfill(ctx)
	}
	if err := s.resume(); err != nil {
		problems.Refuse("STATE_DIR", k.StateDir, err.Error(), "")
		return false, problems
	}
	c := s.config()
	s.engine = engine.New(c)
	if k.CapacitySearch {
		s.search = search.New(k, c, s.engine, s.Targets(), capacity.NewLag(s.plan.Visits.Outline))
	}
	return true, nil
}

// take takes the run's place, and puts the state folder in order.
func (s *session) take(ctx context.Context) (err error) {
	k := &s.plan.Spec
	if s.folder, err = state.Open(s.h.FS, k.StateDir); err != nil {
		return err
	}
	for range takeTries {
		s.place, err = s.folder.Begin(s.plan.RunID)
		if !errors.Is(err, state.ErrRunning) || !alarm.Wait(ctx, takePause) {
			break
		}
	}
	if err != nil {
		return err
	}
	if k.StartID != "" {
		switch again, err := s.folder.Started(k.StartID); {
		case err != nil:
			return err
		case again:
			return errStarted
		}
		if err := s.folder.SaveStart(k.StartID); err != nil {
			return err
		}
	}
	if err := s.folder.Tidy(s.plan.RunID, time.Now().UTC(), s.log); err != nil {
		return err
	}
	s.folder.Delete(s.plan.RunID, s.deleted(), s.log)
	return nil
}

// deleted are the runs that the controller has deleted.
func (s *session) deleted() exchange.Deleted {
	dir := s.plan.Spec.ExchangeDir
	if dir == "" {
		return exchange.Deleted{}
	}
	data, err := exchange.Read(s.h.FS, filepath.Join(dir, exchange.DeletedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return exchange.Deleted{}
	}
	var d exchange.Deleted
	if err == nil {
		d, err = exchange.ParseDeleted(data)
	}
	if err != nil {
		s.log.Warn("the ledgers of deleted runs stay", "file", exchange.DeletedFile, "err", err)
	}
	return d
}

// resume finds the first visit and what is left of the cap.
func (s *session) resume() error {
	first, killed, err := s.place.Resume(time.Now().UTC())
	if err != nil {
		return err
	}
	if killed {
		s.log.Warn("a run was killed; its ledger is closed", "run_id", s.plan.RunID)
	}
	s.first, s.next = first, first
	s.ahead = ahead{plan: s.plan, router: s.router, first: first}
	if s.plan.Spec.MaxTotalVisits > 0 {
		kept, err := s.folder.Cap()
		if err != nil {
			return err
		}
		s.limit = engine.NewCap(uint64(s.plan.Spec.MaxTotalVisits), kept, s.folder.SaveCap)
	}
	return nil
}

// release gives the run's place up.
func (s *session) release() {
	if s.past != nil {
		s.past.close(s.log)
	}
	if s.place == nil {
		return
	}
	leave := s.place.Abandon
	if s.ended {
		leave = s.place.Close
	}
	if err := leave(); err != nil {
		s.log.Warn("the run's lock is not released", "err", err)
	}
	s.place = nil
}
