package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pacing measures when hits arrive: ours at many rates, the others at one.
func (b *bench) pacing(ctx context.Context) (string, error) {
	s, err := b.startSink(ctx, "--arrivals")
	if err != nil {
		return "", err
	}
	defer s.stop()
	rows := [][]string{{"load generator", "hits/s", "due", "arrived", "arrived : due", "p50", "p99", "max",
		"p50 from the first", "drift", "disturbed"}}
	add := func(c tool, rate int) error {
		p, err := b.measurePacingQuietly(ctx, s, c, rate)
		if err != nil {
			return fmt.Errorf("%s at %d hits/s: %w", c.name, rate, err)
		}
		rows = append(rows, append([]string{strings.TrimSpace(c.name + " " + c.version), strconv.Itoa(rate)},
			p.row(float64(rate)*b.pace.Seconds())...))
		return nil
	}
	loadgen := b.newLoadgen(nil, 0).contender("loadgen")
	for _, rate := range []int{100, 2_000, 5_000, 30_000} {
		if err := add(loadgen, rate); err != nil {
			return "", err
		}
	}
	for _, c := range b.peers(ctx) {
		if !c.paces {
			continue
		}
		if err := add(c, 2_000); err != nil {
			return "", err
		}
	}
	return markdownTable(rows) + fmt.Sprintf("\n%s each, one after the other.\n", b.pace), nil
}

// pacingResult is what was measured of a contender that keeps a rate.
type pacingResult struct {
	arrived            int
	median, p99, worst time.Duration
	// fromFirst is the median distance, early or late, where the first arrival is taken to be ideal.
	fromFirst time.Duration
	drift     time.Duration
	disturbed float64 // the share of a core that something else took
}

func (p pacingResult) row(due float64) []string {
	row := []string{fmt.Sprintf("%.0f", due), strconv.Itoa(p.arrived),
		fmt.Sprintf("%.2f %%", 100*float64(p.arrived)/due)}
	for _, d := range []time.Duration{p.median, p.p99, p.worst, p.fromFirst, p.drift} {
		row = append(row, milliseconds(d))
	}
	return append(row, percent(p.disturbed))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

// measurePacingQuietly takes the least disturbed of some measurements.
func (b *bench) measurePacingQuietly(
	ctx context.Context,
	s *sinkProcess,
	c tool,
	rate int,
) (best pacingResult, err error) {
	for n := range maxTries {
		p, err := b.measurePacing(ctx, s, c, rate)
		if err != nil {
			return best, err
		}
		_, _ = fmt.Fprintf(b.out, "%s at %d hits/s: p50 %s, p99 %s, disturbed %s\n", c.name, rate, p.median, p.p99,
			percent(p.disturbed))
		if n == 0 || p.disturbed < best.disturbed {
			best = p
		}
		if best.disturbed <= maxDisturbance {
			break
		}
	}
	return best, nil
}

func (b *bench) measurePacing(ctx context.Context, s *sinkProcess, c tool, rate int) (found pacingResult, err error) {
	sent, err := b.runAtRate(ctx, s, c, job{url: s.url(), length: b.pace, rate: rate})
	if err != nil {
		return found, err
	}
	apart := lateness(sent.arrivals, idealTimes(len(sent.arrivals), float64(rate)))
	found = pacingResult{arrived: len(apart), drift: drift(apart), disturbed: sent.disturbed}
	first := apart[0]
	slices.Sort(apart)
	found.fromFirst = medianDistance(apart, first)
	found.median, found.p99, found.worst = quantile(apart, 0.5), quantile(apart, 0.99), apart[len(apart)-1]
	return found, nil
}

// arrivalsSeen is what was seen of a job at a rate.
type arrivalsSeen struct {
	arrivals  []int64   // by the sink's clock; one at least
	epoch     time.Time // when that clock was zero
	disturbed float64
}

// runAtRate lets a contender do a job at a rate.
func (b *bench) runAtRate(ctx context.Context, s *sinkProcess, c tool, j job) (seen arrivalsSeen, err error) {
	ctx, cancel := context.WithTimeout(ctx, j.length+2*processTimeout)
	defer cancel()
	order, err := c.command(j)
	if err != nil {
		return seen, err
	}
	p, err := start(ctx, senderCore, order)
	if err != nil {
		return seen, err
	}
	defer func() { cancel(); <-p.ended }()
	from, err := b.snapshot(ctx, s, p.pid())
	if err != nil {
		return seen, err
	}
	if err := sleep(ctx, j.length-settleTime); err != nil {
		return seen, err
	}
	to, err := b.snapshot(ctx, s, p.pid())
	if err != nil {
		return seen, err
	}
	if err := p.wait(); err != nil {
		return seen, err
	}
	now, err := s.stats(ctx)
	if err != nil {
		return seen, err
	}
	seen.epoch, seen.disturbed = time.Now().Add(-time.Duration(now.Seconds*1e9)), to.since(from).disturbance()
	if seen.arrivals, err = s.arrivals(ctx); err != nil {
		return seen, err
	}
	if len(seen.arrivals) <= c.warmup {
		return seen, fmt.Errorf("%d hits arrived; it said: %s", len(seen.arrivals), p.output.String())
	}
	seen.arrivals = seen.arrivals[c.warmup:]
	return seen, nil
}

// idealTimes are n ideal moments that are 1/rate apart.
func idealTimes(n int, rate float64) []time.Duration {
	moments := make([]time.Duration, n)
	for k := range moments {
		moments[k] = time.Duration(float64(k) * 1e9 / rate)
	}
	return moments
}

// lateness are how long after its ideal moment each request arrived. Ideal moments are laid as late as no request
// comes before its own: where the first one is late, the others are not early for it.
func lateness(arrivals []int64, ideal []time.Duration) []time.Duration {
	apart, earliest := make([]time.Duration, len(arrivals)), time.Duration(math.MaxInt64)
	for k, at := range arrivals {
		apart[k] = time.Duration(at) - ideal[k]
		earliest = min(earliest, apart[k])
	}
	for k := range apart {
		apart[k] -= earliest
	}
	return apart
}

// medianDistance is the median of how far the durations are from one of them.
func medianDistance(apart []time.Duration, origin time.Duration) time.Duration {
	far := make([]time.Duration, len(apart))
	for i, d := range apart {
		far[i] = (d - origin).Abs()
	}
	slices.Sort(far)
	return quantile(far, 0.5)
}

// drift is how much later the last tenth came than the first, by their medians.
func drift(apart []time.Duration) time.Duration {
	tenth := max(1, len(apart)/10)
	middle := func(part []time.Duration) time.Duration {
		part = slices.Sorted(slices.Values(part))
		return quantile(part, 0.5)
	}
	return middle(apart[len(apart)-tenth:]) - middle(apart[:tenth])
}

// quantile of sorted durations; there must be one.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}
