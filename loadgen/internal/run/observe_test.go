package run

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestProgressIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	r := &Run{deps: deps{log: slog.New(slog.NewTextHandler(&text, nil)), began: time.Now(),
		clock: standstill.NewAt(func() time.Duration { return 0 })}}
	r.setIdle(phase.Running)
	show, at := r.progressObserver(), r.began
	lines := func(ticks int) int {
		text.Reset()
		for range ticks {
			at = at.Add(time.Second)
			show(at, &runsummary.Summary{})
		}
		return strings.Count(text.String(), "msg=progress")
	}
	if n := lines(150); n != 2 {
		t.Errorf("%d lines in two and a half minutes", n)
	}
	at = at.Add(time.Hour) // the machine was suspended
	if n := lines(59); n != 1 {
		t.Errorf("%d lines in the minute after a standstill", n)
	}
}
