package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

const (
	// soakShare is the offered share of the capacity.
	soakShare   = 0.8
	soakSamples = 10
)

// soakTest samples memory and goroutines of a long run, and compares the ledger with the sink at the end.
func (b *bench) soakTest(ctx context.Context) (string, error) {
	s, err := b.startSink(ctx)
	if err != nil {
		return "", err
	}
	defer s.stop()
	o := b.newLoadgen(nil, 40_000)
	if err := o.calibrate(ctx, s); err != nil {
		return "", err
	}
	o.rate = soakShare * o.best
	before, err := s.stats(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, b.soak+2*processTimeout)
	defer cancel()
	var rows [][]string
	if _, err := runSender(ctx, o.command(job{url: s.url(), length: b.soak}), func(p *process) (err error) {
		rows, err = b.sampleSoak(ctx, p, s)
		return err
	}); err != nil {
		return "", err
	}
	accepted, err := o.ownCount(ctx, "")
	if err != nil {
		return "", err
	}
	after, err := s.stats(ctx)
	if err != nil {
		return "", err
	}
	h, seen := o.summary.Hits, after.Hits-before.Hits
	verdict := "equal"
	if accepted != seen {
		verdict = "NOT equal"
	}
	return markdownTable(rows) + fmt.Sprintf("\n%s at %s of %.0f hits/s. Planned %d = accepted %d + shed %d + "+
		"others %d; the sink saw %d: %s.\n", b.soak, percent(soakShare), o.best, h.Planned, accepted, h.Shed,
		h.Planned-accepted-h.Shed, seen, verdict), nil
}

func (b *bench) sampleSoak(ctx context.Context, p *process, s *sinkProcess) ([][]string, error) {
	addr, err := p.waitForOutput(ctx, regexp.MustCompile(`telemetry listening.* addr=(\S+)`))
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"after", "RSS", "goroutines", "hits/s", "its core"}}
	interval := (b.soak - settleTime) / soakSamples
	for n := range time.Duration(soakSamples) {
		m, err := b.measureFor(ctx, s, p, interval)
		if err != nil {
			return nil, err
		}
		_, rss, err := readProcess(b.proc, p.pid())
		if err != nil {
			return nil, err
		}
		metrics, err := httpGet(ctx, "http://"+addr+"/metrics")
		if err != nil {
			return nil, err
		}
		row := []string{((n + 1) * interval).Round(time.Second).String(), fmt.Sprintf("%.1f MB", float64(rss)/1e6),
			firstGroup(`(?m)^go_goroutines (\d+)`, string(metrics)), fmt.Sprintf("%.0f", m.hits), percent(m.cpu)}
		rows = append(rows, row)
		b.printf("%s\n", row)
	}
	return rows, nil
}
