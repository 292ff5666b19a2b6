package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

// connections is the number of connections of every load generator.
const connections = 64

// job is a task for a load generator.
type job struct {
	url    string
	length time.Duration
	// rate is in hits per second, 0 for the maximum.
	rate int
}

func (j job) seconds() string {
	return strconv.Itoa(int(j.length.Round(time.Second)/time.Second)) + "s"
}

// tool is a load generator.
type tool struct {
	name, version, sends string
	// paces means that it can keep a rate; warmup is the number of hits it sends before.
	paces   bool
	warmup  int
	command func(job) command
	// ownCount returns the number of hits by its own count; output is all it printed.
	ownCount func(ctx context.Context, output string) (uint64, error)
	// measured is called after each measurement; may be nil.
	measured func(measurement)
}

// measurement is the result of one tool. Shares are of a core's time.
type measurement struct {
	hits          float64 // per second
	bytes         float64 // per hit
	cpu, others   float64 // of the tool's core: the tool, everything else
	sink, sinkAll float64 // of the sink's core: the sink, everything
	// own and seen are the hits of the complete run, counted by the tool and by the sink.
	own, seen uint64
}

// disturbance returns the greater share of a core that other processes used.
func (m measurement) disturbance() float64 { return max(m.others, m.sinkAll-m.sink) }

// snapshot contains the counters that rates and shares are computed from.
type snapshot struct {
	hits, bytes          uint64
	at                   float64 // seconds, by the sink's clock
	cpu, sink            float64 // seconds
	senderCore, sinkCore coreTime
}

func (b *bench) snapshot(ctx context.Context, s *sinkProcess, p *process) (n snapshot, err error) {
	stats, err := s.stats(ctx)
	if err != nil {
		return n, err
	}
	n.hits, n.bytes, n.at, n.sink = stats.Hits, stats.Bytes, stats.Seconds, stats.CPUSeconds
	if n.cpu, _, err = readProcess(b.proc, p.pid()); err != nil {
		return n, err
	}
	if n.senderCore, err = readCore(b.proc, senderCore); err != nil {
		return n, err
	}
	n.sinkCore, err = readCore(b.proc, sinkCore)
	return n, err
}

func (n snapshot) since(before snapshot) measurement {
	seconds, hits := n.at-before.at, float64(n.hits-before.hits)
	m := measurement{
		hits: ratio(hits, seconds), bytes: ratio(float64(n.bytes-before.bytes), hits),
		cpu: ratio(n.cpu-before.cpu, seconds), sink: ratio(n.sink-before.sink, seconds),
		sinkAll: n.sinkCore.busySince(before.sinkCore),
	}
	m.others = max(0, n.senderCore.busySince(before.senderCore)-m.cpu)
	return m
}

// ratio of 0 to 0 is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// measureFor measures a process that sends to the sink for a time.
func (b *bench) measureFor(ctx context.Context, s *sinkProcess, p *process, d time.Duration) (measurement, error) {
	from, err := b.snapshot(ctx, s, p)
	if err != nil {
		return measurement{}, err
	}
	if !wakeup.Sleep(ctx, d) {
		return measurement{}, ctx.Err()
	}
	to, err := b.snapshot(ctx, s, p)
	return to.since(from), err
}

// settleTime is how long a tool runs before and after the measurement.
const settleTime = time.Second

// measure runs a tool and measures the middle of the run.
func (b *bench) measure(ctx context.Context, s *sinkProcess, t tool) (m measurement, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.window+2*settleTime+2*processTimeout)
	defer cancel()
	before, err := s.stats(ctx)
	if err != nil {
		return m, err
	}
	c := t.command(job{url: s.url(), length: b.window + 2*settleTime})
	output, err := runSender(ctx, c, func(p *process) (err error) {
		if err := p.waitUntil(ctx, func() (bool, error) {
			now, err := s.stats(ctx)
			return now.Hits > before.Hits, err
		}); err != nil {
			return err
		}
		if !wakeup.Sleep(ctx, settleTime) {
			return ctx.Err()
		}
		m, err = b.measureFor(ctx, s, p, b.window)
		return err
	})
	if err != nil {
		return m, err
	}
	if m.own, err = t.ownCount(ctx, output); err != nil {
		return m, fmt.Errorf("%s's own count: %w", t.name, err)
	}
	after, err := s.stats(ctx)
	m.seen = after.Hits - before.Hits
	if t.measured != nil {
		t.measured(m)
	}
	return m, err
}

const (
	// A measurement is repeated, up to maxTries in all, while other processes use more than this share of a core.
	maxDisturbance = 0.05
	maxTries       = 4
)

// leastDisturbed repeats a disturbed measurement and returns the least disturbed one.
func leastDisturbed[T interface{ disturbance() float64 }](measure func() (T, error)) (best T, err error) {
	for n := range maxTries {
		m, err := measure()
		if err != nil {
			return best, err
		}
		if n == 0 || m.disturbance() < best.disturbance() {
			best = m
		}
		if best.disturbance() <= maxDisturbance {
			break
		}
	}
	return best, nil
}
