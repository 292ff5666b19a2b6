package run

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/alarm"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/judge"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/search"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/series"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// session is one run, from its first visit to its written summary.
type session struct {
	h      host.Host
	env    map[string]string // with the file of LOADGEN_ENV_FILE
	plan   *plan.Plan
	log    *slog.Logger
	ledger *ledger.Ledger
	router *routing.Router
	sender *sender.Sender
	clock  *standstill.Clock
	engine *engine.Engine
	folder state.Folder
	place  *state.Run // nil until it is taken
	limit  *engine.Cap
	search *search.Search // nil unless this is one
	past   *past          // nil unless this is a backfill, which has no engine

	options    Options
	judge      *judge.Judge // nil where it has nothing to stop
	thresholds []threshold.Threshold
	series     *series.Series         // nil unless a report was asked for
	problems   *logLines              // of the log
	logged     map[record.Reason]bool // reasons of which the log has told
	stopped    engine.Reason          // by its judge, and why in words
	why        string

	began       time.Time     // with clock
	started     time.Time     // of a backfill that goes on the first time
	earlier     time.Duration // that a backfill lasted before
	standstills int           // that were logged
	first       uint64        // number of the first visit
	ended       bool          // the summary was written

	mu    sync.Mutex // guards next and ahead, and orders the writes of the ledger of record
	next  uint64     // visit numbers below may have been used
	ahead ahead
	// granted is next as it was written last.
	granted atomic.Uint64
}

func newSession(h host.Host, o Options, env map[string]string, p *plan.Plan, to *sender.Sender, log *slog.Logger,
	problems *logLines) *session {
	began := time.Now()
	s := &session{
		h: h, options: o, env: env, logged: map[record.Reason]bool{}, plan: p, log: log, problems: problems, sender: to,
		ledger: ledger.New(len(p.Targets)),
		router: routing.New(p.Targets, p.Strategy, p.Seed), clock: standstill.New(began), began: began,
		started: began.UTC(),
	}
	s.judge, s.thresholds = newJudge(&p.Spec)
	// which is told by its days, and books at its start what it did before
	if o.Report != "" && !p.Spec.BackfillEnabled {
		s.series = series.New(s.began, s.ledger.Counts())
	}
	return s
}

func (s *session) config() engine.Config {
	k := &s.plan.Spec
	c := engine.Config{
		Visits: s.plan.Visits, Sender: s.sender, Router: s.router, Ledger: s.ledger, Log: s.log, Alarm: alarm.Exact(),
		Clock: s.clock,
		Load:  s.plan.Load, Random: s.plan.Random(s.first), Concurrency: k.Concurrency, Batch: 1,
		Live: k.Timeline == "live", Zone: s.plan.Zone,
		FirstVisit: s.first, Reserve: s.reserve, StopAfter: uint64(k.StopAfterVisits),
		AutoStop: time.Duration(k.AutoStopHours * float64(time.Hour)), Cap: s.limit,
	}
	if s.sender.Bulk() {
		c.Batch, c.BatchDelay = k.BulkSize, seconds(k.BulkMaxDelay)
	}
	return c
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func (s *session) run(ctx context.Context) int {
	s.log.Info("run begins", "run_id", s.plan.RunID, "seed", s.plan.Seed, "plan", s.plan.Hash, "first_visit", s.first)
	ctx, stopAll := context.WithCancel(ctx)
	defer stopAll()
	drain, soft := context.WithCancelCause(ctx)
	defer soft(nil)
	abort, hard := context.WithCancel(ctx)
	defer hard()
	var background sync.WaitGroup
	background.Go(func() {
		for _, stop := range []func(){func() { soft(engine.Interrupted) }, hard} {
			select {
			case <-s.h.Signals:
				s.log.Info("stopping")
				stop()
			case <-ctx.Done():
				return
			}
		}
	})
	background.Go(func() { s.record(ctx) })
	background.Go(func() { s.progress(ctx) })
	background.Go(func() { s.observe(ctx, soft) })
	if dir := s.plan.Spec.ExchangeDir; dir != "" && s.past == nil {
		var steer steered = s.engine
		if s.search != nil {
			steer = selfSteered{s.engine}
		}
		c := newControl(s.h.FS, dir, s.plan.RunID, steer, s.log)
		c.look()
		background.Go(func() { c.watch(ctx) })
	}
	if s.past == nil {
		s.readClocks(drain)
	}
	if s.search != nil {
		background.Go(func() {
			if why := s.search.Run(drain); why != "" {
				soft(why)
			}
		})
	}

	var reason engine.Reason
	if s.past != nil {
		reason = s.past.run(drain, abort)
	} else {
		reason = s.engine.Run(drain, abort)
	}
	stopAll()
	background.Wait()
	return s.finish(reason)
}

// clockTime is how long targets may take to tell their clocks: a dead one must not hold up the others.
const clockTime = 3 * time.Second

// readClocks asks every target for its clock before the first hit, because a hit of the future is booked as now.
func (s *session) readClocks(ctx context.Context) {
	asking, err := sender.New(s.plan, s.h.Machine(s.env),
		tracking.Options{Timeout: min(clockTime, seconds(s.plan.Spec.RequestTimeout))})
	if err != nil {
		s.log.Warn("clocks cannot be asked for", "err", err)
		return
	}
	defer asking.Close()
	defer context.AfterFunc(ctx, asking.Break)()
	var asked sync.WaitGroup
	for i, t := range asking.Targets() {
		asked.Go(func() {
			clock, err := t.Clock()
			if err != nil {
				s.log.Warn("target does not answer yet", "target", s.plan.Targets[i].Name, "err", err)
				return
			}
			s.router.Observe(i, clock, s.h.Now())
		})
	}
	asked.Wait()
}

// reserve implements engine.Config.Reserve. It seldom waits for the disk, because record reserves ahead.
func (s *session) reserve(upTo uint64) error {
	if upTo <= s.granted.Load() {
		return nil
	}
	return s.save(upTo)
}

// save writes the ledger of record with all visit numbers below upTo as used, and those that already were.
func (s *session) save(upTo uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.next
	s.next = max(before, upTo)
	summary := s.Summary()
	summary.NextVisit = s.next
	if s.past == nil {
		s.ahead.reserve(&summary, s.first+summary.Visits.Planned, s.next, time.Now())
	}
	if err := s.place.Save(&summary); err != nil {
		s.next = before
		return err
	}
	s.granted.Store(s.next)
	return nil
}

// record writes the ledger of record every second until ctx is done.
func (s *session) record(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.save(s.reach())
		if err != nil && !failing {
			s.log.Error("the ledger cannot be written; it goes on in memory", "err", err)
		}
		failing = err != nil
	}
}

// reach is the visit number that is not reached within the next two seconds.
func (s *session) reach() uint64 {
	if s.past != nil {
		return 0 // its numbers were granted all at once
	}
	upTo := s.first + s.ledger.Counts().Planned + uint64(2*s.engine.Rate()) + 1
	if stop := uint64(s.plan.Spec.StopAfterVisits); stop > 0 {
		upTo = min(upTo, stop)
	}
	return upTo
}

// Summary implements telemetry.Source: it is the ledger as it stands, without the visit number that is reserved.
func (s *session) Summary() record.Summary {
	sum := record.Summary{
		RunID: s.plan.RunID, Kind: record.Live, Seed: s.plan.Seed, PlanHash: s.plan.Hash, Started: s.started,
		FirstVisit: s.first,
		Strategy:   string(s.plan.Strategy),
	}
	targets := make([]record.Target, len(s.plan.Targets))
	for i, t := range s.plan.Targets {
		st := s.router.Status(i, s.now())
		targets[i] = record.Target{
			URL: t.URL, APIURL: t.APIURL, SiteID: t.SiteID, Health: string(st.Health), SuccessRate: st.SuccessRate,
			LastError: st.LastError, LastSuccess: st.LastSuccess.UTC(), LastFailure: st.LastFailure.UTC(),
		}
	}
	counts := s.Counts()
	counts.Fill(&sum, s.Targets(), targets, s.plan.Zone)
	s.fillTime(&sum, counts.Missed)
	if s.past == nil {
		sum.FinishBy, sum.CutVisits = s.engine.FinishBy().UTC(), s.engine.Cut()
	}
	if s.search != nil {
		sum.Kind, sum.Capacity = record.CapacitySearch, s.search.Record()
	}
	if s.past != nil {
		sum.Kind, sum.Backfill = record.BackfillJob, s.past.account()
	}
	sum.Thresholds = threshold.Judge(s.thresholds, threshold.Of(&sum), false)
	return sum
}

// finish writes the summary everywhere and tells the exit code.
func (s *session) finish(reason engine.Reason) int {
	s.tellStandstills()
	sum := s.Summary()
	sum.NextVisit = s.next
	sum.Ended, sum.Reason = s.endAfter(sum.Duration()), string(reason)
	if s.past == nil {
		sum.NextVisit = s.first + sum.Visits.Planned // what was reserved beyond is not wasted by an orderly end
	}
	sum.Thresholds = threshold.Judge(s.thresholds, threshold.Of(&sum), true)
	if reason == s.stopped {
		sum.Message = s.why
	}
	if s.past != nil {
		sum.Message += s.past.message
	}
	if s.search != nil {
		sum.Message += sum.Capacity.Void
	}
	if reason == engine.Stopped && sum.CutVisits > 0 {
		sum.Message = fmt.Sprintf("the time to finish open visits was over: %d of them were cut off", sum.CutVisits)
	}
	code := exitCode(reason, sum.Hits.Accepted, sum.Hits.NotAccepted()-min(sum.Hits.Shed, sum.StoodStill().Hits))
	if code == exitcode.NoTarget && sum.Message == "" {
		why, _ := s.router.Hopeless()
		if why == "" {
			why = s.plan.Targets[0].Name + ": " + s.router.Status(0, s.now()).LastError
		}
		sum.Message = "no hit was accepted; " + why
	}
	if code == exitcode.OK && (reason == judge.ErrorBrake || !threshold.Passed(sum.Thresholds)) {
		code = exitcode.Missed
	}
	if s.limit != nil {
		if err := s.limit.Release(); err != nil {
			s.log.Error("the daily cap cannot be written", "err", err)
		}
	}
	s.logReasons()
	s.conclude(&sum)
	s.ended = true
	if err := s.place.End(&sum); err != nil {
		s.log.Error("the ledger cannot be written", "err", err)
		code = exitcode.Internal
	}
	if err := s.writeSummary(&sum); err != nil {
		s.log.Error("the summary cannot be written", "file", s.plan.Spec.SummaryFile, "err", err)
		code = exitcode.Internal
	}
	if err := s.writeReports(&sum, code); err != nil {
		s.log.Error("the report cannot be written", "err", err)
		code = exitcode.Internal
	}
	return code
}

func (s *session) writeSummary(sum *record.Summary) error {
	path := s.plan.Spec.SummaryFile
	if path == "" {
		return nil
	}
	data, err := sum.Encode()
	if err != nil {
		return err
	}
	if err := exchange.Publish(s.h.FS, filepath.Dir(path), map[string][]byte{filepath.Base(path): data}); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}
