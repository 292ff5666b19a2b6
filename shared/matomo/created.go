package matomo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
)

// Hides reports that Matomo makes no reports of a day, because the site is younger (core/Archive.php,
// cacheArchiveIdsAfterLaunching), whatever its raw log has. Matomo moves the date back with an older hit that it
// records (plugins/SitesManager/Tracker), unless the request with that hit is rolled back or the date is still in the
// tracker's cache, for 5 minutes.
func (s *Site) Hides(day calendar.Date) bool {
	return !s.Created.IsZero() && day.Add(2).Begin(time.UTC).Before(s.Created)
}

// HiddenCure is who can make Matomo show days from first on, and how.
func (s *Site) HiddenCure(first calendar.Date) string {
	return fmt.Sprintf("let a user with admin access to the site set its creation date back: SitesManager.updateSite "+
		"with idSite=%s and startDate=%s, "+
		"and have the reports of these days rebuilt", strconv.Itoa(s.ID), first.Add(-1))
}

// created reports whether Matomo will show the past days that are sent.
func (x *examination) created(ctx context.Context, site *Site) []Finding {
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
	case !site.Hides(first):
		return []Finding{good(check, "the site was created on %s, before the first day to be sent", date)}
	}
	raw, err := x.visits(ctx, "period", "day", "date", first.String(), "filter_limit", "1")
	if err == nil && len(raw) > 0 {
		return []Finding{doubtful(check, site.HiddenCure(first),
			"there are visits of %s, but the site was created on %s, and Matomo makes no reports of days before",
			first, date)}
	}
	return []Finding{good(check,
		"the site was created on %s, after the first day to be sent: Matomo moves that date back with the first "+
			"hit of it", date)}
}
