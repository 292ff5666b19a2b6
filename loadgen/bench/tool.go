package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// connections is how many every load generator has.
const connections = 64

// job is what a load generator is to do.
type job struct {
	url    string
	length time.Duration
	// rate is in hits a second, 0 for as many as it can.
	rate int
}

func (j job) seconds() string {
	return strconv.Itoa(int(j.length.Round(time.Second)/time.Second)) + "s"
}

// tool is a load generator that is measured.
type tool struct {
	name, version, sends string
	// paces says that it can keep a rate, warmup how many hits it sends before.
	paces   bool
	warmup  int
	command func(job) (command, error)
	// ownCount is what it counted itself; said is all it wrote.
	ownCount func(ctx context.Context, said string) (uint64, error)
	// learn sees what was measured before the next measurement; nil where it needs not.
	learn func(measurement)
}

// measurement is what was measured of a contender in one round. Shares are of a core's time.
type measurement struct {
	hits          float64 // a second
	bytes         float64 // a hit
	cpu, others   float64 // of its core: the contender, all else
	sink, sinkAll float64 // of the sink's core: the sink, all
	// own and seen are the hits of the whole run by its own count and the sink's.
	own, seen uint64
}

// disturbance is the greater share of a core that something else took.
func (r measurement) disturbance() float64 { return max(r.others, r.sinkAll-r.sink) }

// snapshot is what the shares and rates are differences of.
type snapshot struct {
	hits, bytes          uint64
	at                   float64 // seconds, by the sink's clock
	cpu, sink            float64 // seconds
	senderUses, sinkUses usage
}

func (b *bench) snapshot(ctx context.Context, s *sinkProcess, pid int) (n snapshot, err error) {
	stats, err := s.stats(ctx)
	if err != nil {
		return n, err
	}
	n.hits, n.bytes, n.at, n.sink = stats.Hits, stats.Bytes, stats.Seconds, stats.CPUSeconds
	if n.cpu, err = cpuSeconds(b.fs, pid); err != nil {
		return n, err
	}
	if n.senderUses, err = coreUsage(b.fs, senderCore); err != nil {
		return n, err
	}
	n.sinkUses, err = coreUsage(b.fs, sinkCore)
	return n, err
}

func (n snapshot) since(before snapshot) measurement {
	seconds, hits := n.at-before.at, float64(n.hits-before.hits)
	r := measurement{
		hits: ratio(hits, seconds), bytes: ratio(float64(n.bytes-before.bytes), hits),
		cpu: ratio(n.cpu-before.cpu, seconds), sink: ratio(n.sink-before.sink, seconds),
		sinkAll: n.sinkUses.since(before.sinkUses),
	}
	r.others = max(0, n.senderUses.since(before.senderUses)-r.cpu)
	return r
}

// ratio of nothing to nothing is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// settleTime is how long a contender runs before it is measured, and after.
const settleTime = time.Second

// measure lets a contender run and measures the middle.
func (b *bench) measure(ctx context.Context, s *sinkProcess, c tool) (r measurement, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.window+2*settleTime+2*processTimeout)
	defer cancel()
	before, err := s.stats(ctx)
	if err != nil {
		return r, err
	}
	order, err := c.command(job{url: s.url(), length: b.window + 2*settleTime})
	if err != nil {
		return r, err
	}
	p, err := start(ctx, senderCore, order)
	if err != nil {
		return r, err
	}
	defer func() { cancel(); <-p.ended }()
	if err := p.waitUntil(ctx, func() (bool, error) {
		now, err := s.stats(ctx)
		return now.Hits > before.Hits, err
	}); err != nil {
		return r, err
	}
	if err := sleep(ctx, settleTime); err != nil {
		return r, err
	}
	from, err := b.snapshot(ctx, s, p.pid())
	if err != nil {
		return r, err
	}
	if err := sleep(ctx, b.window); err != nil {
		return r, err
	}
	to, err := b.snapshot(ctx, s, p.pid())
	if err != nil {
		return r, err
	}
	if err := p.wait(); err != nil {
		return r, err
	}
	r = to.since(from)
	if r.own, err = c.ownCount(ctx, p.output.String()); err != nil {
		return r, fmt.Errorf("%s's own count: %w", c.name, err)
	}
	after, err := s.stats(ctx)
	r.seen = after.Hits - before.Hits
	if c.learn != nil {
		c.learn(r)
	}
	return r, err
}
