package doctor

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
)

// created reports whether Matomo will show the past days that are sent.
func (x *examination) created(ctx context.Context, site *matomo.Site) []Finding {
	const check = "created"
	if x.expect.Past == nil {
		return nil
	}
	first := x.expect.Past.First
	date := site.Created.Format(time.DateOnly)
	switch {
	case site.Created.IsZero():
		return []Finding{skipped(check, "", "check the site's creation date",
			"Matomo does not report the creation date; it builds no reports for earlier days")}
	case !site.HidesDay(first):
		return []Finding{passed(check, "the site was created on %s, before the first day to send", date)}
	}
	raw, err := x.visits(ctx, "period", "day", "date", first.String(), "filter_limit", "1")
	if err == nil && len(raw) > 0 {
		return []Finding{warning(check, site.HiddenDaysCure(first),
			"there are visits on %s, but the site was created on %s, and Matomo builds no reports for earlier days",
			first, date)}
	}
	return []Finding{passed(check,
		"the site was created on %s, after the first day to send; Matomo moves the date back with its first hit",
		date)}
}
