package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/endreason"
	reporting "github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// apiTimeout bounds a question to the Reporting API of a target.
const apiTimeout = 10 * time.Second

// client asks the Reporting API.
func (p *backfillMode) client() *reporting.Client {
	return reporting.NewClient(min(apiTimeout, p.plan.Sending.QueryTimeout), p.host.Machine(p.plan.Env))
}

// checkRetention refuses days whose raw data a target deletes, as far as its token may ask.
func (p *backfillMode) checkRetention(ctx context.Context) (problems problem.List) {
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

// checkTimeZones refuses days that are others at a target, as far as its token may ask: Matomo would cut visits near
// midnight in two and book them on another day.
func (p *backfillMode) checkTimeZones(ctx context.Context) (problems problem.List) {
	e := doctor.Expectation{}
	e.AddBackfill(p.days)
	if e.Past == nil {
		return nil
	}
	mine := p.plan.SiteZone
	for _, t := range p.plan.Targets {
		if t.APIToken() == "" {
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
		if day, differ := mine.FirstDifference(its, e.Past.First, e.Past.Last); differ {
			problems.Refuse("TIMEZONE", mine.String(), "has other days than the site of target "+t.Name+
				", which is in "+its.String()+": "+day.String()+" is the first",
				"set TIMEZONE="+its.String()+
					", or change the site's zone in Matomo; targets in other zones need a backfill of their own")
		}
	}
	return problems
}

// warnHiddenDays warns of days that Matomo has, but makes no reports of, because a site is younger.
func (p *backfillMode) warnHiddenDays(ctx context.Context, days []string) {
	first, err := calendar.ParseDate(days[0])
	if err != nil {
		return // the job writes no other
	}
	for _, t := range p.plan.Targets {
		if t.APIToken() == "" {
			continue
		}
		if site, err := p.client().Site(ctx, t); err == nil && site.HidesDay(first) {
			p.log.Warn(
				"Matomo makes no reports of days before the site was created",
				"target",
				t.Name,
				"created",
				site.Created.Format(time.DateOnly),
				"first_day",
				days[0],
				"advice",
				site.HiddenDaysCure(first),
			)
		}
	}
}

func (p *backfillMode) invalidate(ctx context.Context, reason endreason.Reason) *runsummary.Invalidation {
	var days []string
	for _, d := range p.job.Progress().Days {
		if d.Sent+d.Unknown > 0 {
			days = append(days, d.Date)
		}
	}
	if len(days) == 0 {
		return nil
	}
	p.warnHiddenDays(ctx, days)
	var commands, why []string
	for _, t := range p.plan.Targets {
		err := fmt.Errorf("the job has not sent all; the command is for when it is not gone on with")
		if reason == endreason.BackfillFinished {
			_, err = p.client().Invalidate(ctx, t, days)
		}
		if err != nil {
			commands = append(commands, reporting.InvalidateCommand(t.SiteID, days[0], days[len(days)-1]))
			why = append(why, t.Name+": "+reporting.Explain(err))
		}
	}
	return &runsummary.Invalidation{Done: len(why) == 0, Command: strings.Join(commands, "\n"),
		Why: strings.Join(why, "; ")}
}
