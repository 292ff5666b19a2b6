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
	text := slog.NewTextHandler(&kept.text,
		&slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: logline.WithoutHead})
	return slog.New(slog.NewMultiHandler(log, warningHandler{text, kept}))
}

const maxWarnings = 50

// warningLog keeps the first warnings and errors of the log.
type warningLog struct {
	mu   sync.Mutex
	text bytes.Buffer // of the current record
	list []export.Problem
}

func (w *warningLog) all() []export.Problem {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// warningHandler stores records in kept; the embedded handler formats their text.
type warningHandler struct {
	slog.Handler
	kept *warningLog
}

// Handle implements slog.Handler.
func (h warningHandler) Handle(ctx context.Context, r slog.Record) error {
	h.kept.mu.Lock()
	defer h.kept.mu.Unlock()
	if len(h.kept.list) == maxWarnings {
		return nil
	}
	h.kept.text.Reset()
	err := h.Handler.Handle(ctx, r)
	p := export.Problem{Time: r.Time, Level: "warning", Text: strings.TrimSpace(h.kept.text.String())}
	if r.Level >= slog.LevelError {
		p.Level = "error"
	}
	h.kept.list = append(h.kept.list, p)
	return err
}

// WithAttrs implements slog.Handler.
func (h warningHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warningHandler{h.Handler.WithAttrs(attrs), h.kept}
}

// WithGroup implements slog.Handler.
func (h warningHandler) WithGroup(name string) slog.Handler {
	return warningHandler{h.Handler.WithGroup(name), h.kept}
}
