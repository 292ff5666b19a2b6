package launcher

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Level is the severity of a line, with the names of LOG_LEVEL.
type Level string

// The levels. Lines that are not from the logger, such as the table at the end of a run, have NoLevel.
const (
	Debug   Level = "DEBUG"
	Info    Level = "INFO"
	Warning Level = "WARNING"
	Error   Level = "ERROR"
	NoLevel Level = ""
)

// levels are in the order of severity.
var levels = []Level{Debug, Info, Warning, Error}

// AtLeast reports whether l is as severe as min, or NoLevel: such a line may explain the others.
func (l Level) AtLeast(min Level) bool {
	return l == NoLevel || slices.Index(levels, l) >= slices.Index(levels, min)
}

// Line is one line of the loadgen's log.
type Line struct {
	// Time is when it was written, UTC.
	Time  time.Time `json:"time"`
	Level Level     `json:"level"`
	Text  string    `json:"text"`
	// Message is Text without time and level.
	Message string `json:"-"`
	// Problem is a problem with the settings; nil for other lines.
	Problem *problem.Problem `json:"-"`
}

// ParseLine parses a line as package logline formats it. Other text is a line with NoLevel.
func ParseLine(at time.Time, text string) Line {
	l, ok := logline.Parse(text)
	if !ok {
		return Line{Time: at.UTC(), Text: text, Message: text}
	}
	// slog's levels are 4 apart, from -4 for DEBUG.
	i := min(max(0, int(l.Level-slog.LevelDebug)/4), len(levels)-1)
	return Line{at.UTC(), levels[i], l.Text, l.Message, l.Problem}
}

// LogQuery selects lines of the log. The zero value selects all.
type LogQuery struct {
	// Since excludes earlier lines.
	Since time.Time
	// Tail limits the result to the last matching lines; 0 is no limit.
	Tail int
	// Follow continues with new lines until the context is done or the loadgen ends.
	Follow bool
	// Level excludes less severe lines. Texts excludes lines that do not contain all of them, ignoring case.
	Level Level
	Texts []string
}

// LogReader reads a loadgen's log.
type LogReader interface {
	// Logs calls each with the lines of the log, oldest first, until there are no more, ctx is done (no error) or each
	// returns an error, which is returned.
	Logs(ctx context.Context, q LogQuery, each func(Line) error) error
}

// Read calls each with the lines that the query selects. read implements Since and Follow for a log; it may ignore
// Tail, and the rest of the query is empty.
func (q LogQuery) Read(read func(q LogQuery, each func(Line) error) error, each func(Line) error) error {
	selected := func(l Line) error {
		if q.Matches(l) {
			return each(l)
		}
		return nil
	}
	if q.Tail == 0 {
		return read(LogQuery{Since: q.Since, Follow: q.Follow}, selected)
	}
	now := LogQuery{Since: q.Since}
	if q.Level == "" && len(q.Texts) == 0 { // otherwise read would cut before the filter
		now.Tail = q.Tail
	}
	var last []Line
	err := read(now, func(l Line) error {
		if !q.Matches(l) {
			return nil
		}
		if last = append(last, l); len(last) >= 2*q.Tail {
			last = append(last[:0], last[q.Tail:]...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range last[max(0, len(last)-q.Tail):] {
		if err := each(l); err != nil {
			return err
		}
		q.Since = l.Time.Add(time.Nanosecond)
	}
	if !q.Follow {
		return nil
	}
	return read(LogQuery{Since: q.Since, Follow: true}, selected)
}

// Matches reports whether the query selects the line.
func (q LogQuery) Matches(l Line) bool {
	if !l.Level.AtLeast(q.Level) || l.Time.Before(q.Since) {
		return false
	}
	text := strings.ToLower(l.Text)
	return !slices.ContainsFunc(q.Texts, func(t string) bool { return !strings.Contains(text, strings.ToLower(t)) })
}
