package run

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/endreason"
	reporting "github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// apiTimeout bounds a request to the Reporting API of a target.
const apiTimeout = 10 * time.Second

func (m *backfillMode) client() *reporting.Client {
	return reporting.NewClient(min(apiTimeout, m.plan.Sending.QueryTimeout), m.host.Machine(m.plan.Env))
}

// checkRetention rejects days whose raw data a target deletes, if its token may read that setting.
func (m *backfillMode) checkRetention(ctx context.Context) (problems problem.List) {
	for _, d := range m.days {
		if d.Visits == 0 {
			continue
		}
		for _, t := range m.plan.Targets {
			if t.Token.Reveal() == "" {
				continue
			}
			first := d.Date.String()
			deleted, err := m.client().Invalidate(ctx, t, []string{first})
			switch {
			case err != nil:
				m.log.Info("cannot read whether the target deletes old raw data; it would reject older days",
					"target", t.Name, "err", reporting.Explain(err))
			case len(deleted) > 0:
				problems.Refuse("BACKFILL_START_DATE", first, "is older than the raw data kept by target "+t.Name+
					", which rejects such hits", "set a later date, or keep raw data longer in that Matomo")
			}
		}
		break // the first is the oldest
	}
	return problems
}

// checkTimeZones rejects a time zone whose days differ from those of a target's site, if its token may read the site:
// Matomo would split visits at midnight and record them on another day.
func (m *backfillMode) checkTimeZones(ctx context.Context) (problems problem.List) {
	e := doctor.Expectation{}
	e.AddBackfill(m.days)
	if e.Past == nil {
		return nil
	}
	zone := m.plan.SiteZone
	for _, t := range m.plan.Targets {
		if t.APIToken() == "" {
			continue
		}
		site, err := m.client().Site(ctx, t)
		if err != nil {
			m.log.Info("cannot read the time zone of the target's site, which must have the same days as TIMEZONE",
				"target", t.Name, "err", err)
			continue
		}
		siteZone, err := site.Zone()
		if err != nil {
			m.log.Warn("the time zone of the target's site is unknown here; it must have the same days as TIMEZONE",
				"target", t.Name, "zone", site.Timezone)
			continue
		}
		if day, differ := zone.FirstDifference(siteZone, e.Past.First, e.Past.Last); differ {
			problems.Refuse("TIMEZONE", zone.String(), "has different days from the site of target "+t.Name+" in "+
				siteZone.String()+", first on "+day.String(), "set TIMEZONE="+siteZone.String()+
				", or change the site's time zone in Matomo; targets in different time zones need separate backfills")
		}
	}
	return problems
}

// warnHiddenDays warns of days without reports because the site was created later.
func (m *backfillMode) warnHiddenDays(ctx context.Context, days []string) {
	first, err := calendar.ParseDate(days[0])
	if err != nil {
		return // does not happen
	}
	for _, t := range m.plan.Targets {
		if t.APIToken() == "" {
			continue
		}
		if site, err := m.client().Site(ctx, t); err == nil && site.HidesDay(first) {
			m.log.Warn("Matomo has no reports of days before the site was created", "target", t.Name, "created",
				site.Created.Format(time.DateOnly), "first_day", days[0], "advice", site.HiddenDaysCure(first))
		}
	}
}

func (m *backfillMode) invalidate(ctx context.Context, reason endreason.Reason) *runsummary.Invalidation {
	var days []string
	for _, d := range m.job.Progress().Days {
		if d.Sent+d.Unknown > 0 {
			days = append(days, d.Date)
		}
	}
	if len(days) == 0 {
		return nil
	}
	m.warnHiddenDays(ctx, days)
	var commands, why []string
	for _, t := range m.plan.Targets {
		err := fmt.Errorf("the job is incomplete; run the command unless it is resumed")
		if reason == endreason.BackfillFinished {
			_, err = m.client().Invalidate(ctx, t, days)
		}
		if err != nil {
			commands = append(commands, reporting.InvalidateCommand(t.SiteID, days[0], days[len(days)-1]))
			why = append(why, t.Name+": "+reporting.Explain(err))
		}
	}
	return &runsummary.Invalidation{Done: len(why) == 0, Command: strings.Join(commands, "\n"),
		Why: strings.Join(why, "; ")}
}

// clockTimeout bounds a request for a clock: a dead target must not delay the others.
const clockTimeout = 3 * time.Second

// readClocks gets the clock of every target before the first hit, because Matomo records a hit with a future time as
// now.
func (p *deps) readClocks(ctx context.Context) {
	requests, err := sender.New(p.plan, p.host.Machine(p.plan.Env),
		tracking.Options{Timeout: min(clockTimeout, p.plan.Sending.QueryTimeout)})
	if err != nil {
		p.log.Warn("cannot read the clocks of the targets", "err", err)
		return
	}
	defer requests.Close()
	defer context.AfterFunc(ctx, requests.Abort)()
	var reading sync.WaitGroup
	for i, t := range requests.Targets() {
		reading.Go(func() {
			clock, err := t.ServerTime()
			if err != nil {
				p.log.Warn("target not reachable yet", "target", p.plan.Targets[i].Name, "err", err)
				return
			}
			p.router.ObserveClock(i, clock, p.host.Now())
		})
	}
	reading.Wait()
}
