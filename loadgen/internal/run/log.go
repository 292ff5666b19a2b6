package run

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/logline"
)

// newLog returns a logger that writes to w, and to kept from warnings up.
func newLog(w io.Writer, level slog.Level, asJSON bool, kept *warningLog) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var log slog.Handler = slog.NewTextHandler(w, options)
	if asJSON {
		log = slog.NewJSONHandler(w, options)
	}
	text := slog.NewTextHandler(
		&kept.text,
		&slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: logline.WithoutHead},
	)
	return slog.New(slog.NewMultiHandler(log, warningHandler{text, kept}))
}

// maxWarnings is how many lines of the log a report shows.
const maxWarnings = 50

// warningLog are the first warnings and errors of the log.
type warningLog struct {
	mu   sync.Mutex
	text bytes.Buffer // of one record
	list []export.Problem
}

func (w *warningLog) all() []export.Problem {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// warningHandler is a handler that keeps records; the one in it writes their text.
type warningHandler struct {
	slog.Handler
	kept *warningLog
}

// Handle implements slog.Handler.
func (k warningHandler) Handle(ctx context.Context, r slog.Record) error {
	k.kept.mu.Lock()
	defer k.kept.mu.Unlock()
	if len(k.kept.list) == maxWarnings {
		return nil
	}
	k.kept.text.Reset()
	err := k.Handler.Handle(ctx, r)
	p := export.Problem{Time: r.Time, Level: "warning", Text: strings.TrimSpace(k.kept.text.String())}
	if r.Level >= slog.LevelError {
		p.Level = "error"
	}
	k.kept.list = append(k.kept.list, p)
	return err
}

// WithAttrs implements slog.Handler.
func (k warningHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warningHandler{k.Handler.WithAttrs(attrs), k.kept}
}

// WithGroup implements slog.Handler.
func (k warningHandler) WithGroup(name string) slog.Handler {
	return warningHandler{k.Handler.WithGroup(name), k.kept}
}
