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
		return []Finding{untold(check, "", "look at the site's creation date",
			"Matomo does not say when the site was created: it makes no reports of days before")}
	case !site.HidesDay(first):
		return []Finding{good(check, "the site was created on %s, before the first day to be sent", date)}
	}
	raw, err := x.visits(ctx, "period", "day", "date", first.String(), "filter_limit", "1")
	if err == nil && len(raw) > 0 {
		return []Finding{doubtful(check, site.HiddenDaysCure(first),
			"there are visits of %s, but the site was created on %s, and Matomo makes no reports of days before",
			first, date)}
	}
	return []Finding{good(check,
		"the site was created on %s, after the first day to be sent: Matomo moves that date back with the first "+
			"hit of it", date)}
}
