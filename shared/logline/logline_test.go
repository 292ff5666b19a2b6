package logline_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/problem"
)

func TestParsedLineReadsLikeTheTextLog(t *testing.T) {
	t.Parallel()
	for name, log := range map[string]func(*slog.Logger){
		"info": func(l *slog.Logger) { l.Info("run started", "run_id", "a b", "seed", uint64(7), "share", .05) },
		"warning": func(l *slog.Logger) {
			l.Warn("hits not accepted", "reason", `503 "busy" = no`, "empty", "", "yes", true)
		},
		"error":  func(l *slog.Logger) { l.Error("it failed", "err", errors.New("disk: full")) },
		"time":   func(l *slog.Logger) { l.Info("progress", "end", time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)) },
		"string": func(l *slog.Logger) { l.Warn("check the settings", "problem", `CONCURRENCY="1": is low`) },
	} {
		var asText, asJSON bytes.Buffer
		log(slog.New(slog.NewTextHandler(&asText, &slog.HandlerOptions{ReplaceAttr: atNoon})))
		log(slog.New(slog.NewJSONHandler(&asJSON, &slog.HandlerOptions{ReplaceAttr: atNoon})))
		got, ok := logline.Parse(strings.TrimSpace(asJSON.String()))
		want := strings.TrimSpace(asText.String())
		if !ok || got.Text != want || got.Problem != nil {
			t.Errorf("%s: got  %s\nwant %s", name, got.Text, want)
		}
		if _, after, _ := strings.Cut(want, " msg="); got.Message != "msg="+after {
			t.Errorf("%s: the message is %s of %s", name, got.Message, want)
		}
	}
}

// atNoon fixes the time of a line.
func atNoon(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Time(slog.TimeKey, time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC))
	}
	return a
}

func TestProblemSurvivesTheRoundTrip(t *testing.T) {
	t.Parallel()
	p := problem.Problem{
		Where: "CONCURRENCY", Value: "1", Message: "is low", Cure: "raise it", Severity: problem.Warning,
	}
	var b bytes.Buffer
	logline.Write(&b, p)
	got, ok := logline.Parse(strings.TrimSpace(b.String()))
	if !ok || got.Problem == nil || *got.Problem != p || got.Level != slog.LevelWarn ||
		got.Text != `warning: CONCURRENCY="1": is low; raise it` || got.Message != p.String() {
		t.Errorf("got %+v of %s", got, &b)
	}
	p.Severity = problem.Error
	b.Reset()
	logline.Write(&b, p)
	if got, ok = logline.Parse(strings.TrimSpace(b.String())); !ok || got.Level != slog.LevelError {
		t.Errorf("got %+v of %s", got, &b)
	}
}

func TestParseRejectsOtherOutput(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "run preview", `time=2026-03-04T12:00:00.000Z level=WARN msg="by an older loadgen"`, "error: X: is bad", "{", "{}",
		`{"visits":3}`, `{"time":"soon","level":"INFO","msg":"x"}`, `{"time":"2026-03-04T12:00:00Z","level":7}`,
		`{"time":"2026-03-04T12:00:00Z","level":"INFO","msg":"cut o`,
	} {
		if got, ok := logline.Parse(text); ok {
			t.Errorf("%q parsed as %+v", text, got)
		}
	}
}
