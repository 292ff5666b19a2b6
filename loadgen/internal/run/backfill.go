package run

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	reporting "github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// past is what a session sends instead of live traffic, where it is a backfill.
type past struct {
	*session
	days    []calendar.Day
	journal *backfill.Journal
	job     *backfill.Job
	message string // explains the end

	done        sync.Mutex // guards invalidated
	invalidated *record.Invalidation
}

// askTime bounds a question to the Reporting API of a target.
const askTime = 10 * time.Second

// prepareBackfill makes the job, or finds how far one of the same RUN_ID came before. Problems refuse it before
// anything is sent.
func (s *session) prepareBackfill(ctx context.Context) problem.List {
	p := &past{session: s, journal: &backfill.Journal{}}
	s.past = p
	var problems problem.List
	header, err := p.open()
	if err != nil {
		problems.Refuse("STATE_DIR", s.plan.Spec.StateDir, err.Error(), "")
		return problems
	}
	goesOn := header != nil
	if goesOn {
		problems = p.same(header)
		if before, found, err := s.place.Find(); err == nil && found {
			s.earlier = before.Duration()
		}
	} else {
		header = p.begin(ctx)
		problems = p.unused()
	}
	days, more := s.plan.Backfill(header.Now)
	p.days = days
	if problems = append(problems, more...); problems.Err() == nil && !goesOn {
		problems = append(problems, p.retention(ctx)...)
		problems = append(problems, p.otherDays(ctx)...)
		if err := p.journal.Begin(*header); err != nil {
			problems.Refuse("STATE_DIR", s.plan.Spec.StateDir, err.Error(),
				unlessFull(err, "name a folder that this user may write to"))
		}
	}
	if problems.Err() != nil {
		return problems
	}
	k := &s.plan.Spec
	curve, _ := profile.ParseCurve(k.LoadCurve) // the settings were checked
	s.started, s.next = header.Now.UTC(), calendar.Total(days)
	p.job = backfill.New(backfill.Config{
		Days: days, Week: profile.NewWeek(curve, 1, s.plan.Zone), Seed: s.plan.Seed,
		Visits: s.plan.Visits, Sender: s.sender, Router: s.router, Targets: s.Targets(), Ledger: s.ledger,
		Journal: p.journal, Log: s.log,
		Keep: func() error { return s.save(0) }, Clock: s.clock,
		Size: k.BackfillBatch(), Shards: k.BackfillShards, Rate: k.BackfillRPS,
	})
	if err := s.place.Reopen(); err != nil {
		problems.Refuse("STATE_DIR", s.plan.Spec.StateDir, err.Error(), "")
	}
	s.log.Info("backfill", "first_day", days[0].Date.String(), "days", len(days), "visits", s.next, "goes_on", goesOn)
	return problems
}

func (p *past) open() (*backfill.Header, error) {
	dir := p.plan.Spec.StateDir
	if dir == "" {
		p.log.Warn("STATE_DIR is not set: a job that is killed cannot go on, and what it has sent is not known")
		return nil, nil
	}
	journal, header, err := backfill.OpenJournal(p.h.FS, filepath.Join(dir, statedir.JournalFile(p.plan.RunID)))
	if err == nil {
		p.journal = journal
	}
	return header, err
}

// begin is the header of a new job. Its today ends with the clock of the target that is behind most, because a hit of
// the future is booked as now.
func (p *past) begin(ctx context.Context) *backfill.Header {
	p.readClocks(ctx)
	behind := time.Duration(0)
	for i := range p.plan.Targets {
		behind = max(behind, p.router.Behind(i))
	}
	return &backfill.Header{RunID: p.plan.RunID, Seed: p.plan.Seed, Plan: p.plan.Hash,
		Now: p.h.Now().Add(-behind).UTC().Truncate(time.Second)}
}

// unused refuses the name of another run: visitors of the same number would be the same.
func (p *past) unused() (problems problem.List) {
	switch _, found, err := p.place.Find(); {
	case err != nil:
		problems.Refuse("RUN_ID", p.plan.RunID, err.Error(), "")
	case found:
		problems.Refuse("RUN_ID", p.plan.RunID, "is that of another run, or the journal of the job is gone",
			"choose another")
	}
	return problems
}

// same refuses to go on with other settings: batches of the same number would have other visits. A seed that nobody has
// set is that of before.
func (p *past) same(h *backfill.Header) (problems problem.List) {
	if k := &p.plan.Spec; k.RunSeed == nil && k.BackfillSeed == nil && h.Seed != p.plan.Seed {
		again, more := plan.Load(p.h.FS, p.env, func() (uint64, string) { return h.Seed, p.plan.RunID })
		if again == nil {
			return more
		}
		problems = Fit(again, p.h.Descriptors)
		p.plan, p.router = again, routing.New(again.Targets, again.Strategy, again.Seed)
	}
	if h.RunID != p.plan.RunID || h.Seed != p.plan.Seed || h.Plan != p.plan.Hash {
		problems.Refuse("RUN_ID", p.plan.RunID, "has begun with other settings, or another seed",
			"take the same again, or another RUN_ID")
	}
	return problems
}

// client asks the Reporting API.
func (p *past) client() *reporting.Client {
	return reporting.NewClient(min(askTime, seconds(p.plan.Spec.RequestTimeout)), p.h.Machine(p.env))
}

// retention refuses days whose raw data a target deletes, as far as its token may ask.
func (p *past) retention(ctx context.Context) (problems problem.List) {
	for _, d := range p.days {
		if d.Visits == 0 {
			continue
		}
		for _, t := range p.plan.Targets {
			if t.Token.Reveal() == "" {
				continue
			}
			first := d.Date.String()
			deleted, err := p.client().Invalidate(ctx, t, []string{first})
			switch {
			case err != nil:
				p.log.Info("whether the target deletes old raw data cannot be asked; it would refuse days that "+
					"are older", "target", t.Name, "err", reporting.Explain(err))
			case len(deleted) > 0:
				problems.Refuse("BACKFILL_START_DATE", first, "is older than the raw data that target "+t.Name+
					" keeps, and it refuses such hits", "begin later, or let that Matomo keep its raw data longer")
			}
		}
		break // the first is the oldest
	}
	return problems
}

// otherDays refuses days that are others at a target, as far as its token may ask: Matomo would cut visits near
// midnight in two and book them on another day.
func (p *past) otherDays(ctx context.Context) (problems problem.List) {
	e := doctor.Expect{}
	e.Backfill(p.days)
	if e.Past == nil {
		return nil
	}
	mine := p.plan.Spec.Timezone
	for _, t := range p.plan.Targets {
		if t.Reader() == "" {
			continue
		}
		site, err := p.client().Site(ctx, t)
		if err != nil {
			p.log.Info("the target's site cannot be asked for its time zone: in another zone days would not be those "+
				"of TIMEZONE", "target", t.Name, "err", err)
			continue
		}
		its, err := site.Zone()
		if err != nil {
			p.log.Warn("the time zone of the target's site is not known here: whether its days are those of TIMEZONE "+
				"cannot be told", "target", t.Name, "zone", site.Timezone)
			continue
		}
		if day, differ := mine.Differ(its, e.Past.First, e.Past.Last); differ {
			problems.Refuse("TIMEZONE", mine.String(), "has other days than the site of target "+t.Name+
				", which is in "+its.String()+": "+day.String()+" is the first",
				"set TIMEZONE="+its.String()+
					", or change the site's zone in Matomo; targets in other zones need a backfill of their own")
		}
	}
	return problems
}

// hidden warns of days that Matomo has, but makes no reports of, because a site is younger.
func (p *past) hidden(ctx context.Context, days []string) {
	first, err := calendar.ParseDate(days[0])
	if err != nil {
		return // the job writes no other
	}
	for _, t := range p.plan.Targets {
		if t.Reader() == "" {
			continue
		}
		if site, err := p.client().Site(ctx, t); err == nil && site.Hides(first) {
			p.log.Warn("Matomo makes no reports of days before the site was created", "target", t.Name,
				"created", site.Created.Format(time.DateOnly), "first_day", days[0], "advice", site.HiddenCure(first))
		}
	}
}

// run sends what is left to send, and lets the targets make their reports of those days anew.
func (p *past) run(drain, abort context.Context) engine.Reason {
	reason, message := p.job.Run(drain, abort)
	p.message = message
	done := p.invalidate(drain, reason)
	p.done.Lock()
	defer p.done.Unlock()
	p.invalidated = done
	return reason
}

func (p *past) invalidate(ctx context.Context, reason engine.Reason) *record.Invalidation {
	var days []string
	for _, d := range p.job.Progress().Days {
		if d.Sent+d.Unknown > 0 {
			days = append(days, d.Date)
		}
	}
	if len(days) == 0 {
		return nil
	}
	p.hidden(ctx, days)
	var commands, why []string
	for _, t := range p.plan.Targets {
		err := fmt.Errorf("the job has not sent all; the command is for when it is not gone on with")
		if reason == backfill.Finished {
			_, err = p.client().Invalidate(ctx, t, days)
		}
		if err != nil {
			commands = append(commands, reporting.InvalidateCommand(t.SiteID, days[0], days[len(days)-1]))
			why = append(why, t.Name+": "+reporting.Explain(err))
		}
	}
	return &record.Invalidation{Done: len(why) == 0, Command: strings.Join(commands, "\n"),
		Why: strings.Join(why, "; ")}
}

func (p *past) account() *record.Backfill {
	b := p.job.Progress()
	p.done.Lock()
	defer p.done.Unlock()
	b.Invalidation = p.invalidated
	return &b
}

func (p *past) close(log *slog.Logger) {
	if err := p.journal.Close(); err != nil {
		log.Error("the journal is not closed", "err", err)
	}
}
