package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// session is one run, from its first visit to its written summary.
type session struct {
	h      host
	plan   *plan.Plan
	log    *slog.Logger
	ledger *ledger.Ledger
	router *routing.Router
	client *tracking.Client
	engine *engine.Engine
	folder state.Folder
	limit  *engine.Cap

	started time.Time
	first   uint64 // number of the first visit

	mu   sync.Mutex // guards next and orders the writes of the ledger of record
	next uint64     // visit numbers below may have been used
}

func newSession(h host, p *plan.Plan, env map[string]string, log *slog.Logger) (*session, error) {
	s := &session{h: h, plan: p, log: log, ledger: ledger.New(len(p.Targets)), started: time.Now().UTC()}
	s.client = tracking.NewClient(tracking.Options{
		Timeout: time.Duration(p.Spec.RequestTimeout * float64(time.Second)), InsecureTLS: !p.Spec.TLSVerify,
		Connections: p.Spec.Concurrency, Proxy: proxy(env),
	})
	if !p.Spec.AutoStart {
		return s, nil
	}
	s.router = routing.New(p.Targets, p.Strategy, p.Seed)
	var err error
	if s.folder, err = state.Open(h.fs, p.Spec.StateDir); err != nil {
		return nil, err
	}
	first, closed, err := s.folder.Resume(p.RunID, time.Now().UTC())
	if err != nil {
		return nil, err
	}
	for _, id := range closed {
		log.Warn("a run was killed; its ledger is closed", "run_id", id)
	}
	s.first, s.next = first, first
	if p.Spec.MaxTotalVisits > 0 {
		kept, err := s.folder.Cap()
		if err != nil {
			return nil, err
		}
		s.limit = engine.NewCap(uint64(p.Spec.MaxTotalVisits), kept, s.folder.SaveCap)
	}
	s.engine = engine.New(engine.Config{
		Visits: p.Visits, Sender: sender{s}, Router: s.router, Ledger: s.ledger, Log: log,
		PerDay: p.Spec.VisitsPerDay, Concurrency: p.Spec.Concurrency, Live: p.Spec.Timeline == "live", Zone: p.Zone,
		FirstVisit: first, Reserve: s.reserve, StopAfter: uint64(p.Spec.StopAfterVisits),
		AutoStop: time.Duration(p.Spec.AutoStopHours * float64(time.Hour)), Cap: s.limit,
	})
	return s, nil
}

// proxy follows the usual variables; an address on this machine is never asked for through a proxy.
func proxy(env map[string]string) func(*url.URL) (*url.URL, error) {
	get := func(upper, lower string) string {
		if v := env[lower]; v != "" {
			return v
		}
		return env[upper]
	}
	return (&httpproxy.Config{
		HTTPProxy: get("HTTP_PROXY", "http_proxy"), HTTPSProxy: get("HTTPS_PROXY", "https_proxy"), NoProxy: get("NO_PROXY", "no_proxy"),
	}).ProxyFunc()
}

// sender writes hits for the target they go to.
type sender struct{ *session }

// Send implements engine.Sender.
func (s sender) Send(ctx context.Context, target int, v *visit.Visit, h *visit.Hit, at time.Time, proven bool) tracking.Result {
	t := s.plan.Targets[target]
	token := t.Token.Reveal()
	form := tracking.Form{SiteID: t.SiteID, Located: token != "", Dated: s.plan.Spec.Timeline != "live", Quiet: proven}
	return s.client.Send(ctx, t.URL, tracking.Append(nil, v, h, form, at), token, v.Visitor.Device.UserAgent)
}

func (s *session) run(ctx context.Context) int {
	s.log.Info("run begins", "run_id", s.plan.RunID, "seed", s.plan.Seed, "plan", s.plan.Hash, "first_visit", s.next)
	ctx, stopAll := context.WithCancel(ctx)
	defer stopAll()
	drain, soft := context.WithCancel(ctx)
	defer soft()
	abort, hard := context.WithCancel(ctx)
	defer hard()
	var background sync.WaitGroup
	background.Go(func() {
		for _, stop := range []context.CancelFunc{soft, hard} {
			select {
			case <-s.h.signals:
				s.log.Info("stopping")
				stop()
			case <-ctx.Done():
				return
			}
		}
	})
	background.Go(func() { s.record(ctx) })
	background.Go(func() { s.progress(ctx) })
	s.readClocks(drain)

	reason := s.engine.Run(drain, abort)
	stopAll()
	background.Wait()
	return s.finish(reason)
}

// readClocks asks every target for its clock before the first hit, because a hit of the future is booked as now.
func (s *session) readClocks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second) // a dead target must not hold up the others
	defer cancel()
	var asked sync.WaitGroup
	for i, t := range s.plan.Targets {
		asked.Go(func() {
			clock, err := s.client.Clock(ctx, t.URL)
			if err != nil {
				s.log.Warn("target does not answer yet", "target", t.Name, "err", err)
				return
			}
			s.router.Observe(i, clock, time.Now())
		})
	}
	asked.Wait()
}

// reserve implements engine.Config.Reserve.
func (s *session) reserve(upTo uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.next
	s.next = upTo
	summary := s.summary()
	if err := s.folder.Save(&summary); err != nil {
		s.next = before
		return err
	}
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
		s.mu.Lock()
		summary := s.summary()
		err := s.folder.Save(&summary)
		s.mu.Unlock()
		if err != nil && !failing {
			s.log.Error("the ledger cannot be written; it goes on in memory", "err", err)
		}
		failing = err != nil
	}
}

// summary is the ledger as it stands; the caller holds the lock while the run goes on.
func (s *session) summary() ledger.Summary {
	sum := ledger.Summary{
		RunID: s.plan.RunID, Seed: s.plan.Seed, PlanHash: s.plan.Hash, Started: s.started, NextVisit: s.next,
	}
	targets := make([]ledger.Target, len(s.plan.Targets))
	for i, t := range s.plan.Targets {
		st := s.router.Status(i, time.Now())
		targets[i] = ledger.Target{URL: t.URL, Health: string(st.Health), SuccessRate: st.SuccessRate, LastError: st.LastError}
	}
	sum.Fill(s.ledger.Counts(), s.Targets(), targets)
	return sum
}

// finish writes the summary everywhere and tells the exit code.
func (s *session) finish(reason engine.Reason) int {
	sum := s.summary()
	sum.Ended, sum.Reason = time.Now().UTC(), string(reason)
	sum.NextVisit = s.first + sum.Visits.Planned // what was reserved beyond is not wasted by an orderly end
	code := exitCode(reason, sum.Hits.Accepted, sum.Hits.Rejected+sum.Hits.Failed+sum.Hits.Unknown+sum.Hits.Shed)
	if code == exitNoTarget {
		why, _ := s.router.Hopeless()
		if why == "" {
			why = s.plan.Targets[0].Name + ": " + s.router.Status(0, time.Now()).LastError
		}
		sum.Message = "no hit was accepted; " + why
	}
	if s.limit != nil {
		if err := s.limit.Release(); err != nil {
			s.log.Error("the daily cap cannot be written", "err", err)
		}
	}
	printSummary(s.h.stderr, &sum)
	if err := s.folder.Save(&sum); err != nil {
		s.log.Error("the ledger cannot be written", "err", err)
	}
	if err := s.writeSummary(&sum); err != nil {
		s.log.Error("the summary cannot be written", "file", s.plan.Spec.SummaryFile, "err", err)
		return max(code, exitInternal)
	}
	return code
}

func (s *session) writeSummary(sum *ledger.Summary) error {
	path := s.plan.Spec.SummaryFile
	if path == "" {
		return nil
	}
	data, err := sum.Encode()
	if err != nil {
		return err
	}
	if err := exchange.Publish(s.h.fs, filepath.Dir(path), map[string][]byte{filepath.Base(path): data}); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}
