package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	// maxSinkLoad is the load of the sink's core at which the sink may have limited the first tool: the round is void.
	maxSinkLoad = 0.95
	// maxRounds limits the repetitions of void rounds, as a multiple of the valid ones.
	maxRounds = 3
)

// single compares single hits.
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
