package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is one period: its name in answers, and its first and last day (YYYY-MM-DD).
type span struct{ name, from, to string }

// unique says that unique visitors are counted for periods of this kind: by default not for years and ranges
// (enable_processing_unique_visitors_* of config/global.ini.php).
func unique(period string) bool { return period == "day" || period == "week" || period == "month" }

// spans reads period and date. many says that the answer is by period, even where there is one.
func spans(period, date string, today time.Time) (list []span, many bool, err error) {
	first, last, isRange := strings.Cut(date, ",")
	if n, ok := lastDays(date); ok {
		return spansOf(period, back(period, today, n), today, period != "range")
	}
	from, err := day(first, today)
	if err != nil {
		return nil, false, err
	}
	to := from
	if isRange {
		if to, err = day(last, today); err != nil {
			return nil, false, err
		}
	}
	if period == "range" && !isRange {
		return nil, false, fmt.Errorf("date %q is not a range; give two days with a comma between", date)
	}
	return spansOf(period, from, to, isRange && period != "range")
}

func spansOf(period string, from, to time.Time, many bool) ([]span, bool, error) {
	if to.Before(from) {
		return nil, false, fmt.Errorf("the range ends on %s, before it begins", to.Format(time.DateOnly))
	}
	if period == "range" {
		s := span{from: from.Format(time.DateOnly), to: to.Format(time.DateOnly)}
		s.name = s.from + "," + s.to
		return []span{s}, false, nil
	}
	var list []span
	for at := from; !at.After(to); {
		begin, end := at, at
		name := at.Format(time.DateOnly)
		switch period {
		case "day":
		case "week":
			begin = at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
			end = begin.AddDate(0, 0, 6)
			name = begin.Format(time.DateOnly) + "," + end.Format(time.DateOnly)
		case "month":
			begin = at.AddDate(0, 0, 1-at.Day())
			end = begin.AddDate(0, 1, -1)
			name = at.Format("2006-01")
		case "year":
			begin = time.Date(at.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
			end = begin.AddDate(1, 0, -1)
			name = at.Format("2006")
		default:
			return nil, false, fmt.Errorf("period %q is not day, week, month, year or range", period)
		}
		list = append(list, span{name, begin.Format(time.DateOnly), end.Format(time.DateOnly)})
		at = end.AddDate(0, 0, 1)
	}
	return list, many, nil
}

// lastDays reads last7.
func lastDays(date string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(date, "last"))
	return n, err == nil && n > 0 && strings.HasPrefix(date, "last")
}

func back(period string, today time.Time, n int) time.Time {
	switch period {
	case "week":
		return today.AddDate(0, 0, -7*(n-1))
	case "month":
		return today.AddDate(0, 1-n, 1-today.Day())
	case "year":
		return today.AddDate(1-n, 0, 0)
	default:
		return today.AddDate(0, 0, 1-n)
	}
}

// day reads one day; it has no zone.
func day(s string, today time.Time) (time.Time, error) {
	switch s {
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fmt.Errorf("date %q is not YYYY-MM-DD, today, yesterday or last7", s)
	}
	return t, nil
}
