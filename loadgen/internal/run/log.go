package run

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/shared/report"

	"github.com/puttrix/trafficinator/shared/spec"
)

// newLog writes the log, and its warnings and errors to problems too.
func newLog(h host.Host, s spec.Spec, problems io.Writer) *slog.Logger {
	levels := map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn,
		"ERROR": slog.LevelError}
	o := &slog.HandlerOptions{Level: levels[s.LogLevel]}
	var log slog.Handler = slog.NewTextHandler(h.Stderr, o)
	if s.LogFormat == "json" {
		log = slog.NewJSONHandler(h.Stderr, o)
	}
	return slog.New(slog.NewMultiHandler(log,
		slog.NewTextHandler(problems, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

// keptProblems is how many lines of the log a report tells.
const keptProblems = 50

// logLines keeps the first lines that a slog.TextHandler writes.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

// Write implements io.Writer; a handler writes a line at a time.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) < keptProblems {
		l.lines = append(l.lines, strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

func (l *logLines) problems() []report.Problem {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]report.Problem, 0, len(l.lines))
	for _, line := range l.lines {
		stamp, rest, _ := strings.Cut(strings.TrimPrefix(line, "time="), " level=")
		level, text, _ := strings.Cut(rest, " ")
		at, _ := time.Parse(time.RFC3339, stamp) // the handler wrote it
		p := report.Problem{Time: at, Level: "warning", Text: text}
		if level == "ERROR" {
			p.Level = "error"
		}
		out = append(out, p)
	}
	return out
}
