package matomo

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/target"
)

// Invalidate tells Matomo that the reports of days (YYYY-MM-DD) must be made anew, those of their weeks, months and
// years too; the token's user needs admin access to the site. Reports are made anew when they are asked for, or by
// core:archive where only that may. Deleted are those of the days whose raw data Matomo deletes by age: it says so in
// plain English, and no other method tells of that age (core/Archive/ArchiveInvalidator/InvalidationResult.php).
func (c *Client) Invalidate(ctx context.Context, t target.Target, days []string) (deleted []string, err error) {
	var told []string
	form := url.Values{"idSites": {strconv.Itoa(t.SiteID)}, "dates": {strings.Join(days, ",")}}
	if err := c.Call(ctx, t, "CoreAdminHome.invalidateArchivedReports", form, &told); err != nil {
		return nil, err
	}
	for _, line := range told {
		_, dates, _ := strings.Cut(line, "Log Deletion limit:")
		dates, _, _ = strings.Cut(dates, "\n")
		for date := range strings.SplitSeq(dates, ",") {
			if date = strings.TrimSpace(date); slices.Contains(days, date) {
				deleted = append(deleted, date)
			}
		}
	}
	return deleted, nil
}

// InvalidateCommand is what does the same on the server of a Matomo, in its folder.
func InvalidateCommand(site int, first, last string) string {
	return "./console core:invalidate-report-data --sites=" + strconv.Itoa(site) + " --dates=" + first + "," + last
}
