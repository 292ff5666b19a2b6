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

// backfillMode sends visits of past days, and resumes a job of the same RUN_ID.
type backfillMode struct {
	*deps
	days    []calendar.Day
	journal backfill.Journal
	job     *backfill.Job

	mu           sync.Mutex // guards invalidation
	invalidation *runsummary.Invalidation
}

// JournalFile returns the path of a backfill's journal, "" if there is none.
func JournalFile(p *plan.Plan) string {
	if p.Files.State == "" || p.RunID == "" || p.Kind() != runsummary.BackfillJob {
		return ""
	}
	return filepath.Join(p.Files.State, statedir.JournalFile(p.RunID))
}

// Prepare implements Mode. It creates the job, or resumes that of the same RUN_ID.
func (m *backfillMode) Prepare(ctx context.Context) (Prepared, problem.List) {
	prepared := m.newPrepared()
	header, err := m.openJournal()
	if err != nil {
		return prepared, m.stateProblem(err, "")
	}
	resumed := header != nil
	var problems problem.List
	if resumed {
		problems = m.checkUnchanged(header)
		if before, found, err := m.place.LastSummary(); err == nil && found {
			prepared.PriorDuration = before.Duration()
		}
	} else {
		header = m.newHeader(ctx)
		problems = m.checkRunIDFree()
	}
	days, more := m.plan.Backfill(header.Now)
	m.days = days
	if problems = append(problems, more...); problems.Err() == nil && !resumed {
		problems = append(problems, m.checkRetention(ctx)...)
		problems = append(problems, m.checkTimeZones(ctx)...)
		if err := m.journal.Begin(*header); err != nil {
			problems = append(problems,
				m.stateProblem(err, fixFor(err, "set it to a folder that this user can write to"))...)
		}
	}
	if problems.Err() != nil {
		return prepared, problems
	}
	prepared.Started, prepared.Next = header.Now.UTC(), calendar.Total(days)
	s := &m.plan.Sending
	m.job = backfill.New(backfill.Config{
		Days: days, Curve: m.plan.Week(), Seed: m.plan.Seed, Visits: m.plan.Visits, Sender: m.sender, Router: m.router,
		Ledger: m.ledger, Journal: &m.journal, Log: m.log,
		StoreLedger: func() error { return m.reserve(0) }, Clock: m.clock,
		BatchSize: s.Batch, Concurrency: s.Concurrency, MaxRate: s.Rate,
	})
	if err := m.place.Reopen(); err != nil {
		problems = append(problems, m.stateProblem(err, "")...)
	}
	m.log.Info("backfill", "first_day", days[0].Date.String(), "days", len(days), "visits", prepared.Next, "resumed",
		resumed)
	return prepared, problems
}

// openJournal opens the journal and returns the header of a job to resume, nil for a new one.
func (m *backfillMode) openJournal() (header *backfill.Header, err error) {
	path := JournalFile(m.plan)
	if path == "" {
		m.log.Warn("STATE_DIR is not set: a killed job cannot be resumed, and what it sent is unknown")
		return nil, nil
	}
	return m.journal.Open(m.host.FS, path)
}

// newHeader returns the header of a new job. Its current day ends at the clock of the target that lags most, because
// Matomo records a hit with a future time as now.
func (m *backfillMode) newHeader(ctx context.Context) *backfill.Header {
	m.readClocks(ctx)
	lag := time.Duration(0)
	for i := range m.plan.Targets {
		lag = max(lag, m.router.ClockLag(i))
	}
	return &backfill.Header{RunID: m.plan.RunID, Seed: m.plan.Seed, Plan: m.plan.Hash,
		Now: m.host.Now().Add(-lag).UTC().Truncate(time.Second)}
}

// checkRunIDFree rejects the id of another run, whose visitors would be the same.
func (m *backfillMode) checkRunIDFree() (problems problem.List) {
	switch _, found, err := m.place.LastSummary(); {
	case err != nil:
		problems.Refuse("RUN_ID", m.plan.RunID, err.Error(), "")
	case found:
		problems.Refuse("RUN_ID", m.plan.RunID, "is already used by another run, or the journal of the job is missing",
			"choose another RUN_ID")
	}
	return problems
}

// checkUnchanged rejects other settings for a resumed job: its batches would contain other visits.
func (m *backfillMode) checkUnchanged(h *backfill.Header) (problems problem.List) {
	if h.RunID != m.plan.RunID || h.Seed != m.plan.Seed || h.Plan != m.plan.Hash {
		problems.Refuse("RUN_ID", m.plan.RunID, "was started with other settings or another seed",
			"restore them, or choose another RUN_ID")
	}
	return problems
}

// Run implements Mode. It sends the remaining visits and invalidates the targets' reports of those days.
func (m *backfillMode) Run(drain, abort context.Context) (end End) {
	end.Reason, end.Message = m.job.Run(drain, abort)
	invalidation := m.invalidate(drain, end.Reason)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invalidation = invalidation
	return end
}

// State implements Mode.
func (m *backfillMode) State() State { return State{Phase: visiblePhase(m.job.Phase())} }

// Ahead implements Mode.
func (m *backfillMode) Ahead() uint64 { return 0 }

// Fill implements Mode.
func (m *backfillMode) Fill(sum *runsummary.Summary) {
	b := m.job.Progress()
	m.mu.Lock()
	defer m.mu.Unlock()
	b.Invalidation = m.invalidation
	sum.Kind, sum.Backfill = runsummary.BackfillJob, &b
}

// Close implements Mode.
func (m *backfillMode) Close() error { return m.journal.Close() }
