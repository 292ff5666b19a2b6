package run

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// backfillMode sends past days instead of live traffic, and continues a job of the same RUN_ID.
type backfillMode struct {
	*deps
	days    []calendar.Day
	journal backfill.Journal
	job     *backfill.Job

	mu          sync.Mutex // guards invalidated
	invalidated *runsummary.Invalidation
}

// JournalFile is where the journal of a backfill is, empty where none is kept.
func JournalFile(p *plan.Plan) string {
	if p.Files.State == "" || p.RunID == "" || p.Kind() != runsummary.BackfillJob {
		return ""
	}
	return filepath.Join(p.Files.State, statedir.JournalFile(p.RunID))
}

// Prepare implements Mode. It makes the job, or finds how far one of the same RUN_ID came before.
func (p *backfillMode) Prepare(ctx context.Context) (Prepared, problem.List) {
	terms := p.newPrepared()
	header, err := p.openJournal()
	if err != nil {
		return terms, p.stateProblem(err, "")
	}
	resumed := header != nil
	var problems problem.List
	if resumed {
		problems = p.checkUnchanged(header)
		if before, found, err := p.place.LastSummary(); err == nil && found {
			terms.PriorDuration = before.Duration()
		}
	} else {
		header = p.newHeader(ctx)
		problems = p.checkRunIDFree()
	}
	days, more := p.plan.Backfill(header.Now)
	p.days = days
	if problems = append(problems, more...); problems.Err() == nil && !resumed {
		problems = append(problems, p.checkRetention(ctx)...)
		problems = append(problems, p.checkTimeZones(ctx)...)
		if err := p.journal.Begin(*header); err != nil {
			problems = append(problems,
				p.stateProblem(err, fixFor(err, "name a folder that this user may write to"))...)
		}
	}
	if problems.Err() != nil {
		return terms, problems
	}
	terms.Started, terms.Next = header.Now.UTC(), calendar.Total(days)
	s := &p.plan.Sending
	p.job = backfill.New(backfill.Config{
		Days: days, Curve: p.plan.Week(), Seed: p.plan.Seed, Visits: p.plan.Visits, Sender: p.sender, Router: p.router,
		Targets: p.plan.TargetNames(), Ledger: p.ledger, Journal: &p.journal, Log: p.log,
		StoreLedger: func() error { return p.reserve(0) }, Clock: p.clock,
		BatchSize: s.Batch, Concurrency: s.Concurrency, MaxRate: s.Rate,
	})
	if err := p.place.Reopen(); err != nil {
		problems = append(problems, p.stateProblem(err, "")...)
	}
	p.log.Info("backfill", "first_day", days[0].Date.String(), "days", len(days), "visits", terms.Next, "goes_on",
		resumed)
	return terms, problems
}

// openJournal opens the journal; the header is that of a job to resume, nil for a new one.
func (p *backfillMode) openJournal() (header *backfill.Header, err error) {
	path := JournalFile(p.plan)
	if path == "" {
		p.log.Warn("STATE_DIR is not set: a job that is killed cannot go on, and what it has sent is not known")
		return nil, nil
	}
	return p.journal.Open(p.host.FS, path)
}

// newHeader is the header of a new job. Its today ends with the clock of the target that is behind most, because a hit of
// the future is booked as now.
func (p *backfillMode) newHeader(ctx context.Context) *backfill.Header {
	p.readClocks(ctx)
	behind := time.Duration(0)
	for i := range p.plan.Targets {
		behind = max(behind, p.router.ClockLag(i))
	}
	return &backfill.Header{RunID: p.plan.RunID, Seed: p.plan.Seed, Plan: p.plan.Hash,
		Now: p.host.Now().Add(-behind).UTC().Truncate(time.Second)}
}

// checkRunIDFree refuses the name of another run: visitors of the same number would be the same.
func (p *backfillMode) checkRunIDFree() (problems problem.List) {
	switch _, found, err := p.place.LastSummary(); {
	case err != nil:
		problems.Refuse("RUN_ID", p.plan.RunID, err.Error(), "")
	case found:
		problems.Refuse("RUN_ID", p.plan.RunID, "is that of another run, or the journal of the job is gone",
			"choose another")
	}
	return problems
}

// checkUnchanged refuses to go on with other settings: batches of the same number would have other visits.
func (p *backfillMode) checkUnchanged(h *backfill.Header) (problems problem.List) {
	if h.RunID != p.plan.RunID || h.Seed != p.plan.Seed || h.Plan != p.plan.Hash {
		problems.Refuse("RUN_ID", p.plan.RunID, "has begun with other settings, or another seed",
			"take the same again, or another RUN_ID")
	}
	return problems
}

// Run implements Mode. It sends what is left to send, and lets the targets make their reports of those days again.
func (p *backfillMode) Run(drain, abort context.Context) (end End) {
	end.Reason, end.Message = p.job.Run(drain, abort)
	done := p.invalidate(drain, end.Reason)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.invalidated = done
	return end
}

// State implements Mode.
func (p *backfillMode) State() State { return State{Phase: visiblePhase(p.job.Phase())} }

// Ahead implements Mode.
func (p *backfillMode) Ahead() uint64 { return 0 }

// Fill implements Mode.
func (p *backfillMode) Fill(sum *runsummary.Summary) {
	b := p.job.Progress()
	p.mu.Lock()
	defer p.mu.Unlock()
	b.Invalidation = p.invalidated
	sum.Kind, sum.Backfill = runsummary.BackfillJob, &b
}

// Close implements Mode.
func (p *backfillMode) Close() error { return p.journal.Close() }
