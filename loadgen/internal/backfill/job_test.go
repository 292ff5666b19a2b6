package backfill_test

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// visits have one to twelve hits, 90 seconds apart.
type visits struct{}

func (visits) Outline(n uint64, v *visit.Visit) {
	v.Number, v.Hits = n, v.Hits[:0]
	for i := range 1 + n*7%12 {
		v.Hits = append(v.Hits, visit.Hit{Offset: time.Duration(i) * 90 * time.Second})
	}
}

func (visits) Fill(v *visit.Visit, _ int) {
	devices := visitor.Devices()
	v.Visitor = visitor.Visitor{Place: &visitor.Places()[0], Device: &devices[v.Number*7%uint64(len(devices))],
		Source: visitor.Source{Type: visitor.Direct}}
}

// hit is a hit as Matomo receives it.
type hit struct {
	visit uint64
	at    time.Time
}

// matomo keeps the hits of requests that it answers with Accepted.
type matomo struct {
	answer func(n int, hits []hit) answer.Answer // nil accepts
	broken chan struct{}

	mu       sync.Mutex
	requests [][]hit // all, in order
	targets  []int   // of the requests
	stored   map[uint64][]time.Time
	first    map[uint64]time.Time // when a visit's first hit was first sent
}

func newMatomo() *matomo {
	return &matomo{broken: make(chan struct{}), stored: map[uint64][]time.Time{}, first: map[uint64]time.Time{}}
}

func (m *matomo) Request() engine.Request { return &request{matomo: m} }

func (m *matomo) Abort() { close(m.broken) }

// acceptAll is the answer that accepts all hits.
func acceptAll(hits []hit) answer.Answer {
	return answer.Answer{Status: 200, Receipt: answer.Receipt{Tracked: len(hits)}}
}

type request struct {
	*matomo
	target int
	hits   []hit
}

func (r *request) Begin(target int, _ bool) { r.target, r.hits = target, nil }

func (r *request) Add(v *visit.Visit, _ int, at time.Time) {
	r.hits = append(r.hits, hit{v.Number, at})
}

func (r *request) Send() tracking.Result {
	r.mu.Lock()
	r.requests, r.targets = append(r.requests, r.hits), append(r.targets, r.target)
	n := len(r.requests)
	for _, h := range r.hits {
		if _, known := r.first[h.visit]; !known {
			r.first[h.visit] = h.at
		}
	}
	r.mu.Unlock()
	result := acceptAll(r.hits)
	if r.answer != nil {
		result = r.answer(n, r.hits)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if result.Class == answer.Accepted {
		for _, h := range r.hits {
			r.stored[h.visit] = append(r.stored[h.visit], h.at)
		}
	}
	return tracking.Result{Answer: result}
}

// rig runs jobs on one state folder.
type rig struct {
	t      *testing.T
	fs     afero.Fs
	days   []calendar.Day
	week   profile.Profile
	shards int
	names  []string
	rate   float64
	keep   func() error // stores the ledger
	size   int
	clock  *standstill.Clock // nil for an ordinary one
}

func newRig(t *testing.T, zone, first, last string, perDay float64, now time.Time) *rig {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w := calendar.Window{Zone: z}
	for date, text := range map[*calendar.Date]string{&w.First: first, &w.Last: last} {
		if *date, err = calendar.ParseDate(text); err != nil {
			t.Fatal(err)
		}
	}
	load := calendar.Load{PerDay: perDay, Curve: profile.Typical(), Trend: 0.05}
	return &rig{
		t: t, fs: afero.NewMemMapFs(), days: w.Days(load, now), week: profile.NewWeek(load.Curve, 1, z),
		shards: 2, names: []string{"a", "b"}, size: 100, keep: func() error { return nil },
	}
}

// run starts or resumes the job, until drain is done.
func (r *rig) run(drain context.Context, m *matomo) (endreason.Reason, string, runsummary.Backfill,
	runsummary.Summary) {
	r.t.Helper()
	journal := &backfill.Journal{}
	header, err := journal.Open(r.fs, "/r.batches")
	if err == nil && header == nil {
		err = journal.Begin(backfill.Header{RunID: "r"})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() {
		if err := journal.Close(); err != nil {
			r.t.Error(err)
		}
	}()
	clock := r.clock
	if clock == nil {
		clock = standstill.New(time.Now())
	}
	targets := make([]target.Target, len(r.names))
	for i, name := range r.names {
		targets[i].Name = name
	}
	l := ledger.New(len(targets))
	job := backfill.New(backfill.Config{
		StoreLedger: r.keep, Days: r.days, Curve: r.week, Seed: 7, Visits: visits{}, Sender: m,
		Router: routing.New(targets, target.RoundRobin, 7), Ledger: l, Journal: journal,
		Log: slog.New(slog.DiscardHandler), Clock: clock, BatchSize: r.size, Concurrency: r.shards, MaxRate: r.rate,
	})
	why, message := job.Run(drain, context.Background())
	var s runsummary.Summary
	l.Counts().Fill(&s, r.names, make([]runsummary.Target, len(targets)), time.UTC)
	h, v := s.Hits, s.Visits
	if h.Planned != h.Accepted+h.Rejected+h.Failed+h.Unknown+h.Shed+h.Abandoned ||
		v.Planned != v.Complete+v.Partial+v.Uncertain+v.Lost+v.Unsent {
		r.t.Errorf("the ledger does not add up: %+v, %+v", h, v)
	}
	return why, message, job.Progress(), s
}

var later = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func TestEveryVisitFitsInItsDayAndItsRequest(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC) // 3:30 of the last day
	r := newRig(t, "America/New_York", "2026-10-30", "2026-11-02", 500, now)
	m := newMatomo()
	why, _, p, s := r.run(context.Background(), m)
	if why != endreason.BackfillFinished || s.Visits.Complete != calendar.Total(r.days) ||
		p.BatchesDone != uint64(len(m.requests)) || p.Batches != p.BatchesDone {
		t.Errorf("ended %s with %+v and %d batches of %d in %d requests", why, s.Visits, p.BatchesDone, p.Batches,
			len(m.requests))
	}
	first, day := uint64(0), 0
	for n := range calendar.Total(r.days) {
		for n >= first+r.days[day].Visits {
			first += r.days[day].Visits
			day++
		}
		var v visit.Visit
		visits{}.Outline(n, &v)
		got := m.stored[n]
		if len(got) != len(v.Hits) {
			t.Fatalf("visit %d has %d hits, want %d", n, len(got), len(v.Hits))
		}
		for i, at := range got {
			if at.Sub(got[0]) != v.Hits[i].Offset || at.Before(r.days[day].Start) || !at.Before(r.days[day].End) {
				t.Fatalf("hit %d of visit %d is at %s, its day is %s to %s", i, n, at, r.days[day].Start,
					r.days[day].End)
			}
		}
	}
	for i, hits := range m.requests {
		for _, h := range hits {
			if len(hits) > 100 || int(h.visit%2) != m.targets[i] {
				t.Fatalf("request %d of %d hits for target %d has visit %d", i, len(hits), m.targets[i], h.visit)
			}
		}
	}
}

func TestVisitsOfADayFollowTheCurveInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, "Europe/Berlin", "2026-10-25", "2026-10-25", 20_000, later) // 25 hours
	m := newMatomo()
	_, _, _, _ = r.run(context.Background(), m)
	hours, before := map[string]float64{}, time.Time{}
	for n := range r.days[0].Visits {
		at := m.stored[n][0].In(r.days[0].Start.Location())
		hours[at.Format("15 MST")]++
		if at.Before(before.Add(-20 * time.Minute)) { // a longer visit starts a little earlier
			t.Fatalf("visit %d starts at %s, the one before at %s", n, at, before)
		}
		before = at
	}
	curve, all := profile.Typical(), 0.0
	hour := func(h int) float64 { return curve.Hour(time.Sunday, h) }
	for h := range 24 {
		all += hour(h)
	}
	all += hour(2) // comes twice
	for name, h := range map[string]int{"02 CEST": 2, "02 CET": 2, "12 CET": 12, "20 CET": 20} {
		if want := hour(h) / all * float64(r.days[0].Visits); hours[name] < 0.9*want || hours[name] > 1.1*want {
			t.Errorf("%g visits start at %s, want about %.0f", hours[name], name, want)
		}
	}
}

func TestAResumedJobSendsNoVisitTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t, "Europe/Berlin", "2026-03-28", "2026-03-30", 400, later)
	m := newMatomo()
	total, runs := calendar.Total(r.days), 0
	for why := endreason.Interrupted; why != endreason.BackfillFinished; runs++ {
		drain, stop := context.WithCancelCause(context.Background())
		m.answer = func(n int, hits []hit) answer.Answer {
			if n%7 == 0 {
				stop(endreason.Interrupted)
			}
			return acceptAll(hits)
		}
		var p runsummary.Backfill
		var s runsummary.Summary
		why, _, p, s = r.run(drain, m)
		if sent := uint64(len(m.stored)); s.Visits.Complete != sent || why == endreason.BackfillFinished &&
			(sent != total || p.Days[1].Sent != p.Days[1].Planned) {
			t.Fatalf("after run %d, ended %s: %d visits are stored, the ledger has %+v", runs, why, sent, s.Visits)
		}
		stop(nil)
	}
	if runs < 3 {
		t.Errorf("only %d runs", runs)
	}
	for n, at := range m.stored {
		var v visit.Visit
		if (visits{}).Outline(n, &v); len(at) != len(v.Hits) {
			t.Errorf("visit %d has %d hits, want %d", n, len(at), len(v.Hits))
		}
	}
}

// lowest is the lowest number of the visits of a request.
func lowest(hits []hit) uint64 {
	return slices.MinFunc(hits, func(a, b hit) int { return cmp.Compare(a.visit, b.visit) }).visit
}

func TestAnUnknownBatchIsListedAndNeverSentAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-29", 400, later)
	m := newMatomo()
	m.answer = func(n int, hits []hit) answer.Answer {
		if n == 4 {
			return answer.Answer{Class: answer.Timeout, Excerpt: "no answer in time"}
		}
		return acceptAll(hits)
	}
	for range 2 { // a job that has ended changes nothing when it is started again
		why, _, p, s := r.run(context.Background(), m)
		if why != endreason.BackfillFinished || len(p.Unknown) != 1 {
			t.Fatalf("ended %s with the unknown batches %+v", why, p.Unknown)
		}
		lost := p.Unknown[0]
		if lost.Why != "no answer in time" || lost.FirstVisit != lowest(m.requests[3]) ||
			lost.Hits != len(m.requests[3]) || lost.Target == "" || lost.Date == "" {
			t.Errorf("%+v is not the fourth request", lost)
		}
		missing := calendar.Total(r.days) - uint64(len(m.stored))
		if uint64(lost.Visits) != missing || s.Visits.Uncertain != missing ||
			p.Days[0].Unknown+p.Days[1].Unknown != missing {
			t.Errorf("%d visits are missing, %d in the batch, %d in the ledger", missing, lost.Visits,
				s.Visits.Uncertain)
		}
	}
	sent := map[uint64]bool{}
	for _, hits := range m.requests {
		if first := hits[0].visit; sent[first] {
			t.Errorf("visit %d was sent twice", first)
		}
		sent[hits[0].visit] = true
	}
}

func TestMaxRateLimitsRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "UTC", "2026-03-28", "2026-03-30", 400, later)
		r.rate = 2
		m := newMatomo()
		started := time.Now()
		_, _, _, _ = r.run(context.Background(), m)
		if took, want := time.Since(started),
			time.Duration(len(m.requests)-1)*time.Second/2; took.Round(time.Millisecond) != want {
			t.Errorf("%d requests at 2 a second took %s, want %s", len(m.requests), took, want)
		}
	})
}

func TestAVisitLongerThanTodayIsNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-28", 400, time.Date(2026, 3, 28, 1, 0, 0, 0, time.UTC))
	r.days[0].End = r.days[0].Start.Add(10 * time.Minute)
	m := newMatomo()
	_, _, p, s := r.run(context.Background(), m)
	d := p.Days[0]
	if d.Unsent == 0 || d.Sent == 0 || d.Sent+d.Unsent != d.Planned || s.Visits.Unsent != d.Unsent ||
		s.Visits.Complete != d.Sent {
		t.Errorf("%+v, %+v", d, s.Visits)
	}
	for n, hits := range m.stored {
		if last := hits[len(hits)-1]; !last.Before(r.days[0].End) {
			t.Errorf("visit %d ends at %s", n, last)
		}
	}
}
