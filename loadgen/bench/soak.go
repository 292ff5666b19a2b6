package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

const (
	// soakShare of its capacity is what the loadgen is offered for long.
	soakShare = 0.8
	// soakSamples is how often a soak is looked at, evenly.
	soakSamples = 10
)

// soakTest watches a long run: memory, goroutines, and in the end the ledger against what the sink saw.
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
	order, err := o.command(job{url: s.url(), length: b.soak})
	if err != nil {
		return "", err
	}
	p, err := start(ctx, senderCore, order)
	if err != nil {
		return "", err
	}
	defer func() { cancel(); <-p.ended }()
	rows, err := b.watch(ctx, p, s)
	if err != nil {
		return "", err
	}
	if err := p.wait(); err != nil {
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
	return markdownTable(
		rows,
	) + fmt.Sprintf(
		"\n%s at %s of %.0f hits/s. Planned %d = accepted %d + shed %d + others %d; "+
			"the sink saw %d: %s.\n",
		b.soak,
		percent(soakShare),
		o.best,
		h.Planned,
		accepted,
		h.Shed,
		h.Planned-accepted-h.Shed,
		seen,
		verdict,
	), nil
}

// watch looks at the process until shortly before it ends.
func (b *bench) watch(ctx context.Context, p *process, s *sinkProcess) ([][]string, error) {
	addr, err := p.waitForOutput(ctx, regexp.MustCompile(`telemetry listening.* addr=(\S+)`))
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"after", "RSS", "goroutines", "hits/s", "its core"}}
	last, err := b.snapshot(ctx, s, p.pid())
	if err != nil {
		return nil, err
	}
	every := (b.soak - settleTime) / soakSamples
	for n := 1; n <= soakSamples; n++ {
		if err := sleep(ctx, every); err != nil {
			return nil, err
		}
		now, err := b.snapshot(ctx, s, p.pid())
		if err != nil {
			return nil, err
		}
		rss, err := residentMB(b.fs, p.pid())
		if err != nil {
			return nil, err
		}
		metrics, err := httpGet(ctx, "http://"+addr+"/metrics")
		if err != nil {
			return nil, err
		}
		r := now.since(last)
		last = now
		row := []string{
			(time.Duration(n) * every).Round(time.Second).String(),
			fmt.Sprintf("%.1f MB", rss),
			firstGroup(
				`(?m)^go_goroutines (\d+)`,
				string(metrics),
			),
			strconv.FormatFloat(r.hits, 'f', 0, 64),
			percent(r.cpu),
		}
		rows = append(rows, row)
		_, _ = fmt.Fprintln(b.out, row)
	}
	return rows, nil
}
