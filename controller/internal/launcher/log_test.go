package launcher_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/problem"
)

func TestParseLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for level, want := range map[slog.Level]launcher.Level{slog.LevelDebug: launcher.Debug, slog.LevelInfo: launcher.Info,
		slog.LevelWarn: launcher.Warning, slog.LevelError: launcher.Error, slog.LevelError + 4: launcher.Error} {
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: level})).
			Log(t.Context(), level, "run started", "n", 1)
		l := launcher.ParseLine(at, strings.TrimSpace(b.String()))
		if l.Level != want || l.Message != `msg="run started" n=1` || !strings.HasPrefix(l.Text, "time=") ||
			l.Problem != nil {
			t.Errorf("%s: got %+v", level, l)
		}
	}
	p := problem.Problem{
		Where:    "BULK_SIZE",
		Value:    "0",
		Message:  "is below 1",
		Cure:     "use 1 or more",
		Severity: problem.Error,
	}
	var b bytes.Buffer
	logline.Write(&b, p)
	if l := launcher.ParseLine(at, strings.TrimSpace(b.String())); l.Level != launcher.Error || l.Problem == nil ||
		*l.Problem != p || l.Text != "error: "+p.String() {
		t.Errorf("got %+v", l)
	}
	for _, text := range []string{"", "kind   planned  accepted", "panic: boom", "error: text of an older version"} {
		want := launcher.Line{Time: at, Text: text, Message: text}
		if l := launcher.ParseLine(at.In(time.FixedZone("", 3600)), text); l != want {
			t.Errorf("got %+v", l)
		}
	}
}
