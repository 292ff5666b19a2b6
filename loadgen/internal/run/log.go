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
func newLog(w io.Writer, level slog.Level, asJSON bool, kept *warnings) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var log slog.Handler = slog.NewTextHandler(w, options)
	if asJSON {
		log = slog.NewJSONHandler(w, options)
	}
	text := slog.NewTextHandler(
		&kept.text,
		&slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: logline.WithoutHead},
	)
	return slog.New(slog.NewMultiHandler(log, keeper{text, kept}))
}

// mostWarnings is how many lines of the log a report shows.
const mostWarnings = 50

// warnings are the first warnings and errors of the log.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer // of one record
	list []export.Problem
}

func (w *warnings) all() []export.Problem {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// keeper is a handler that keeps records; the one in it writes their text.
type keeper struct {
	slog.Handler
	kept *warnings
}

// Handle implements slog.Handler.
func (k keeper) Handle(ctx context.Context, r slog.Record) error {
	k.kept.mu.Lock()
	defer k.kept.mu.Unlock()
	if len(k.kept.list) == mostWarnings {
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
func (k keeper) WithAttrs(attrs []slog.Attr) slog.Handler {
	return keeper{k.Handler.WithAttrs(attrs), k.kept}
}

// WithGroup implements slog.Handler.
func (k keeper) WithGroup(name string) slog.Handler { return keeper{k.Handler.WithGroup(name), k.kept} }
