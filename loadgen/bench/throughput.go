package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

const (
	// maxSinkLoad is the load of the sink's core at which the sink may have limited the first tool: the round is void.
	maxSinkLoad = 0.95
	// maxRounds limits the repetitions of void rounds, as a multiple of the valid ones.
	maxRounds = 3
)

func (b *bench) single(ctx context.Context) (string, error) {
	return b.compare(ctx, b.peers(ctx), b.newLoadgen(nil, 40_000), "loadgen")
}

// bulk compares bulk hits with the first peer's requests. Visits are long, because TARGET_VISITS_PER_DAY does not allow
// enough normal ones.
func (b *bench) bulk(ctx context.Context) (string, error) {
	o := b.newLoadgen(map[string]string{"SEND_MODE": "bulk", "BULK_SIZE": "100", "PAGEVIEWS_MIN": "15",
		"PAGEVIEWS_MAX": "25"}, 400_000)
	o.perVisit = 23
	peers := b.peers(ctx)
	return b.compare(ctx, peers[:min(1, len(peers))], o, "loadgen, bulk")
}

// compare measures all tools in turn, round by round. The first is the reference.
func (b *bench) compare(ctx context.Context, all []tool, o *loadgenTool, name string) (string, error) {
	s, err := b.startSink(ctx)
	if err != nil {
		return "", err
	}
	defer s.stop()
	if err := o.calibrate(ctx, s); err != nil {
		return "", err
	}
	all = slices.Insert(all, min(1, len(all)), o.tool(name))
	var rounds [][]measurement
	void := 0
	for len(rounds) < b.rounds && len(rounds)+void < maxRounds*b.rounds {
		round, err := b.runRound(ctx, s, all)
		switch {
		case err != nil:
			return "", err
		case round == nil:
			void++
		default:
			rounds = append(rounds, round)
		}
	}
	if len(rounds) == 0 {
		return "", fmt.Errorf("all %d rounds were void: other processes keep the sink's core busy", void)
	}
	return resultTable(all, rounds, void), nil
}

// runRound measures each tool once. It returns nil if the round is void.
func (b *bench) runRound(ctx context.Context, s *sinkProcess, all []tool) (round []measurement, err error) {
	for i, t := range all {
		m, err := leastDisturbed(func() (measurement, error) {
			m, err := b.measure(ctx, s, t)
			b.printf("%-14s %9.0f hits/s; its core: %s, others %s; sink's core: %s, others %s\n",
				t.name, m.hits, percent(m.cpu), percent(m.others), percent(m.sink), percent(max(0, m.sinkAll-m.sink)))
			return m, err
		})
		if err != nil {
			return nil, err
		}
		if i == 0 && m.sinkAll >= maxSinkLoad {
			b.printf("void: the sink's core is %s busy while %s runs\n", percent(m.sinkAll), t.name)
			return nil, nil
		}
		round = append(round, m)
	}
	return round, nil
}

// resultTable formats medians over the rounds. Ratios are to the first tool in the same round.
func resultTable(all []tool, rounds [][]measurement, void int) string {
	rows := [][]string{{
		"load generator", "sends", "hits/s", "ratio", "bytes/hit", "its core", "sink's core", "disturbed",
		"own count : sink's",
	}}
	for i, t := range all {
		medianOf := func(value func(m, reference measurement) float64) float64 {
			var values []float64
			for _, round := range rounds {
				values = append(values, value(round[i], round[0]))
			}
			return median(values)
		}
		var own, seen uint64
		for _, round := range rounds {
			own, seen = own+round[i].own, seen+round[i].seen
		}
		rows = append(rows, []string{
			t.label(), t.sends,
			fmt.Sprintf("%.0f", medianOf(func(m, _ measurement) float64 { return m.hits })),
			fmt.Sprintf("%.3f", medianOf(func(m, first measurement) float64 { return ratio(m.hits, first.hits) })),
			fmt.Sprintf("%.0f", medianOf(func(m, _ measurement) float64 { return m.bytes })),
			percent(medianOf(func(m, _ measurement) float64 { return m.cpu })),
			percent(medianOf(func(m, _ measurement) float64 { return m.sinkAll })),
			percent(medianOf(func(m, _ measurement) float64 { return m.disturbance() })),
			fmt.Sprintf("%.4f", ratio(float64(own), float64(seen))),
		})
	}
	return markdownTable(rows) + fmt.Sprintf("\nMedians of %d valid rounds; %d were void.\n", len(rounds), void)
}

func (t tool) label() string { return strings.TrimSpace(t.name + " " + t.version) }

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// median of at least one value. It sorts them.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// connections is the number of connections of every load generator.
const connections = 64

type job struct {
	url    string
	length time.Duration
	// rate is in hits per second, 0 for the maximum.
	rate int
}

func (j job) seconds() string {
	return strconv.Itoa(int(j.length.Round(time.Second)/time.Second)) + "s"
}

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
