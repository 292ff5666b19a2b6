// Package logline owns the format of a loadgen's log, and of problems with its settings, for the controller that
// started it: one JSON object of log/slog per line. Other output, such as the table at the end of a run, stays text.
package logline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
)

// The starter of a loadgen sets EnvVar to JSON to parse its output; LOG_FORMAT keeps its meaning.
const (
	EnvVar  = "TRAFFICINATOR_LOG_LINES"
	JSON    = "json"
	Environ = EnvVar + "=" + JSON // both as an entry of an environment
)

const problemKey = "problem"

// Write writes a problem as a line. A write error is ignored: the reader may have gone.
func Write(w io.Writer, p problem.Problem) {
	level := slog.LevelError
	if p.Severity == problem.Warning {
		level = slog.LevelWarn
	}
	r := slog.NewRecord(time.Now(), level, p.String(), 0)
	r.Add(problemKey, p)
	_ = slog.NewJSONHandler(w, nil).Handle(context.Background(), r)
}

// Line is one parsed line.
type Line struct {
	Level slog.Level
	// Text is the line as a terminal shows it. Message is Text without time and level.
	Text, Message string
	Problem       *problem.Problem // a problem with the settings, nil for a log record
}

// Parse parses a line. It returns false if the line is not JSON written by a loadgen.
func Parse(text string) (Line, bool) {
	if !strings.HasPrefix(text, "{") {
		return Line{}, false
	}
	record, found, err := decode(text)
	if err != nil || record.Time.IsZero() {
		return Line{}, false
	}
	if found != nil {
		return Line{record.Level, fmt.Sprintf("%s: %s", found.Severity, found), found.String(), found}, true
	}
	return Line{record.Level, format(record, nil), format(record, WithoutHead), nil}, true
}

// WithoutHead is a slog.HandlerOptions.ReplaceAttr that leaves out time and level.
func WithoutHead(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

func decode(text string) (r slog.Record, found *problem.Problem, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return r, nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return r, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return r, nil, err
		}
		switch name := key.(string); {
		case name == slog.TimeKey && r.Time.IsZero():
			err = json.Unmarshal(value, &r.Time)
		case name == slog.LevelKey:
			err = json.Unmarshal(value, &r.Level)
		case name == slog.MessageKey && r.Message == "":
			err = json.Unmarshal(value, &r.Message)
		case name == problemKey && value[0] == '{':
			err = json.Unmarshal(value, &found)
		default:
			r.AddAttrs(slog.Attr{Key: name, Value: attrValue(value)})
		}
		if err != nil {
			return r, nil, err
		}
	}
	_, err = d.Token()
	return r, found, err
}

// attrValue returns the value that slog.TextHandler formats as it would have formatted the original.
func attrValue(value json.RawMessage) slog.Value {
	var text string
	var t time.Time
	if json.Unmarshal(value, &text) != nil {
		return slog.StringValue(string(value))
	}
	if json.Unmarshal(value, &t) == nil {
		return slog.TimeValue(t)
	}
	return slog.StringValue(text)
}

func format(r slog.Record, replace func([]string, slog.Attr) slog.Attr) string {
	var b bytes.Buffer
	h := slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: replace})
	if h.Handle(context.Background(), r) != nil {
		return r.Message
	}
	return strings.TrimSuffix(b.String(), "\n")
}
