package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is one period: its name in answers, and its first and last day (YYYY-MM-DD).
type span struct{ name, from, to string }

func newSpan(from, to time.Time, name string) span {
	return span{name, from.Format(time.DateOnly), to.Format(time.DateOnly)}
}

// unique reports whether unique visitors are counted: by default not for years and ranges
// (enable_processing_unique_visitors_* of config/global.ini.php).
func unique(period string) bool { return period == "day" || period == "week" || period == "month" }

// A calendarPeriod repeats: its length, the first day of the one that contains a day, and the layout of its name.
type calendarPeriod struct {
	years, months, days int
	first               func(time.Time) time.Time
	name                string
}

var calendarPeriods = map[string]calendarPeriod{
	"day":   {days: 1, name: time.DateOnly, first: func(t time.Time) time.Time { return t }},
	"week":  {days: 7, first: func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }},
	"month": {months: 1, name: "2006-01", first: func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) }},
	"year":  {years: 1, name: "2006", first: func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.YearDay()) }},
}

// add adds n periods to the first day of a period.
func (p calendarPeriod) add(t time.Time, n int) time.Time {
	return t.AddDate(n*p.years, n*p.months, n*p.days)
}

// spans parses period and date. many means that the answer is by period, even if there is only one.
func spans(period, date string, today time.Time) (list []span, many bool, err error) {
	p, ok := calendarPeriods[period]
	if period == "range" {
		p, ok = calendarPeriods["day"], true
	}
	if !ok {
		return nil, false, fmt.Errorf("period %q is not day, week, month, year or range", period)
	}
	first, last, isRange := strings.Cut(date, ",")
	var from, to time.Time
	if n, isLast := lastDays(date); isLast {
		from, to, isRange = p.add(p.first(today), 1-n), today, true
	} else {
		if from, err = day(first, today); err != nil {
			return nil, false, err
		}
		if to = from; isRange {
			if to, err = day(last, today); err != nil {
				return nil, false, err
			}
		}
	}
	switch {
	case period == "range" && !isRange:
		return nil, false, fmt.Errorf("date %q is not a range; give two days with a comma between", date)
	case to.Before(from):
		return nil, false, fmt.Errorf("the range ends on %s, before its start", to.Format(time.DateOnly))
	case period == "range":
		s := newSpan(from, to, "")
		s.name = s.from + "," + s.to
		return []span{s}, false, nil
	}
	for at := p.first(from); !at.After(to); at = p.add(at, 1) {
		s := newSpan(at, p.add(at, 1).AddDate(0, 0, -1), at.Format(p.name))
		if period == "week" {
			s.name = s.from + "," + s.to
		}
		list = append(list, s)
	}
	return list, isRange, nil
}

func lastDays(date string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(date, "last"))
	return n, err == nil && n > 0 && strings.HasPrefix(date, "last")
}

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
