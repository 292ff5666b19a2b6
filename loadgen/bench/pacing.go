package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// pacing measures how punctually hits arrive: the loadgen's at many rates, the peers' at one.
func (b *bench) pacing(ctx context.Context) (string, error) {
	s, err := b.startSink(ctx, "--arrivals")
	if err != nil {
		return "", err
	}
	defer s.stop()
	rows := [][]string{{"load generator", "hits/s", "due", "arrived", "arrived : due", "p50", "p99", "max",
		"p50 from the first", "drift", "disturbed"}}
	add := func(t tool, rate int) error {
		r, err := leastDisturbed(func() (pacingResult, error) { return b.measurePacing(ctx, s, t, rate) })
		if err != nil {
			return fmt.Errorf("%s at %d hits/s: %w", t.name, rate, err)
		}
		rows = append(rows, append([]string{t.label(), strconv.Itoa(rate)}, r.row(float64(rate)*b.pace.Seconds())...))
		return nil
	}
	loadgen := b.newLoadgen(nil, 0).tool("loadgen")
	for _, rate := range []int{100, 2_000, 5_000, 30_000} {
		if err := add(loadgen, rate); err != nil {
			return "", err
		}
	}
	for _, t := range b.peers(ctx) {
		if !t.paces {
			continue
		}
		if err := add(t, 2_000); err != nil {
			return "", err
		}
	}
	return markdownTable(rows) + fmt.Sprintf("\n%s each, one after the other.\n", b.pace), nil
}

type pacingResult struct {
	arrived            int
	median, p99, worst time.Duration
	// fromFirst is the median distance, early or late, if the first arrival is taken as ideal.
	fromFirst time.Duration
	drift     time.Duration
	disturbed float64
}

func (r pacingResult) disturbance() float64 { return r.disturbed }

func (r pacingResult) row(due float64) []string {
	row := []string{fmt.Sprintf("%.0f", due), strconv.Itoa(r.arrived),
		fmt.Sprintf("%.2f %%", 100*float64(r.arrived)/due)}
	for _, d := range []time.Duration{r.median, r.p99, r.worst, r.fromFirst, r.drift} {
		row = append(row, milliseconds(d))
	}
	return append(row, percent(r.disturbed))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func (b *bench) measurePacing(ctx context.Context, s *sinkProcess, t tool, rate int) (r pacingResult, err error) {
	run, err := b.runAtRate(ctx, s, t, job{url: s.url(), length: b.pace, rate: rate})
	if err != nil {
		return r, err
	}
	late := lateness(run.arrivals, idealTimes(len(run.arrivals), float64(rate)))
	r = pacingResult{arrived: len(late), drift: drift(late), disturbed: run.disturbed}
	first := late[0]
	slices.Sort(late)
	r.median, r.p99, r.worst = quantile(late, 0.5), quantile(late, 0.99), late[len(late)-1]
	for i := range late {
		late[i] = (late[i] - first).Abs()
	}
	r.fromFirst = medianOf(late)
	b.printf("%s at %d hits/s: p50 %s, p99 %s, disturbed %s\n", t.name, rate, r.median, r.p99, percent(r.disturbed))
	return r, nil
}

type rateRun struct {
	arrivals  []int64   // by the sink's clock; at least one
	epoch     time.Time // zero of that clock
	disturbed float64
}

func (b *bench) runAtRate(ctx context.Context, s *sinkProcess, t tool, j job) (r rateRun, err error) {
	ctx, cancel := context.WithTimeout(ctx, j.length+2*processTimeout)
	defer cancel()
	output, err := runSender(ctx, t.command(j), func(p *process) error {
		m, err := b.measureFor(ctx, s, p, j.length-settleTime)
		r.disturbed = m.disturbance()
		return err
	})
	if err != nil {
		return r, err
	}
	now, err := s.stats(ctx)
	if err != nil {
		return r, err
	}
	r.epoch = time.Now().Add(-time.Duration(now.Seconds * 1e9))
	if r.arrivals, err = s.arrivals(ctx); err != nil {
		return r, err
	}
	if len(r.arrivals) <= t.warmup {
		return r, fmt.Errorf("%d hits arrived; its output: %s", len(r.arrivals), output)
	}
	r.arrivals = r.arrivals[t.warmup:]
	return r, nil
}

// idealTimes returns n times that are 1/rate apart.
func idealTimes(n int, rate float64) []time.Duration {
	times := make([]time.Duration, n)
	for k := range times {
		times[k] = time.Duration(float64(k) * 1e9 / rate)
	}
	return times
}

// lateness returns how long after its ideal time each request arrived. Ideal times are as late as possible without a
// request before its own: a late first request does not make the others early.
func lateness(arrivals []int64, ideal []time.Duration) []time.Duration {
	late, earliest := make([]time.Duration, len(arrivals)), time.Duration(math.MaxInt64)
	for k, at := range arrivals {
		late[k] = time.Duration(at) - ideal[k]
		earliest = min(earliest, late[k])
	}
	for k := range late {
		late[k] -= earliest
	}
	return late
}

// drift returns how much later the last tenth arrived than the first, by their medians.
func drift(late []time.Duration) time.Duration {
	tenth := max(1, len(late)/10)
	return medianOf(late[len(late)-tenth:]) - medianOf(late[:tenth])
}

func medianOf(d []time.Duration) time.Duration { return quantile(slices.Sorted(slices.Values(d)), 0.5) }

// quantile of at least one sorted duration.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}
