package export

import "github.com/puttrix/trafficinator/shared/runsummary"

// day is one of a backfill, with a bar in the proportion of the busiest.
type day struct {
	runsummary.BackfillDay
	Bar []Part
}

func daysOf(b *runsummary.Backfill) []day {
	var busiest uint64
	for _, d := range b.Days {
		busiest = max(busiest, d.Planned)
	}
	days := make([]day, 0, len(b.Days))
	for _, d := range b.Days {
		var bar []Part
		x := uint64(0)
		for _, p := range []struct {
			class string
			n     uint64
		}{{"accepted", d.Sent}, {"unknown", d.Unknown}, {"rejected", d.Rejected}, {"unsent", d.Unsent}} {
			if p.n > 0 {
				bar = append(bar, Part{p.class, length(x, busiest), length(p.n, busiest)})
				x += p.n
			}
		}
		days = append(days, day{d, bar})
	}
	return days
}
