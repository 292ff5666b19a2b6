package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	// maxSinkLoad is the share of its core above which the sink may have held up the first contender: the round is void.
	maxSinkLoad = 0.95
	// maxRounds is how often a round is repeated at most, on average.
	maxRounds = 3
	// A measurement is repeated, this often at most, while something else takes more than this share of a core.
	maxDisturbance = 0.05
	maxTries       = 4
)

// single compares single hits.
func (b *bench) single(ctx context.Context) (string, error) {
	return b.compare(ctx, b.peers(ctx), b.newLoadgen(nil, 40_000), "loadgen")
}

// bulk compares hits in bulk with the first peer's requests. Visits are long, because no number of usual ones that
// TARGET_VISITS_PER_DAY allows is enough.
func (b *bench) bulk(ctx context.Context) (string, error) {
	o := b.newLoadgen(map[string]string{"SEND_MODE": "bulk", "BULK_SIZE": "100", "PAGEVIEWS_MIN": "15",
		"PAGEVIEWS_MAX": "25"}, 400_000)
	o.perVisit = 23
	peers := b.peers(ctx)
	return b.compare(ctx, peers[:min(1, len(peers))], o, "loadgen, bulk")
}

// compare measures all contenders in turn, round by round, the first as the reference.
func (b *bench) compare(ctx context.Context, all []tool, o *loadgenTool, name string) (string, error) {
	s, err := b.startSink(ctx)
	if err != nil {
		return "", err
	}
	defer s.stop()
	if err := o.calibrate(ctx, s); err != nil {
		return "", err
	}
	all = slices.Insert(all, min(1, len(all)), o.contender(name))
	rounds, void, err := b.playRounds(ctx, s, all)
	if err != nil {
		return "", err
	}
	return resultTable(all, rounds, void), nil
}

// playRounds returns the valid rounds, each with a reading per contender, and counts the void ones.
func (b *bench) playRounds(
	ctx context.Context,
	s *sinkProcess,
	all []tool,
) (rounds [][]measurement, void int, err error) {
	for len(rounds) < b.rounds && len(rounds)+void < maxRounds*b.rounds {
		round := make([]measurement, 0, len(all))
		for i, c := range all {
			r, err := b.measureQuietly(ctx, s, c)
			if err != nil {
				return nil, 0, err
			}
			if i == 0 && r.sinkAll >= maxSinkLoad {
				_, _ = fmt.Fprintf(b.out, "void: the sink's core is %s busy while %s runs\n",
					percent(r.sinkAll), c.name)
				break
			}
			round = append(round, r)
		}
		if len(round) < len(all) {
			void++
			continue
		}
		rounds = append(rounds, round)
	}
	if len(rounds) == 0 {
		return nil, void, fmt.Errorf("all %d rounds were void: something else keeps the sink's core busy", void)
	}
	return rounds, void, nil
}

// measureQuietly takes the least disturbed of some measurements: what disturbs says nothing of how fast it went.
func (b *bench) measureQuietly(ctx context.Context, s *sinkProcess, c tool) (best measurement, err error) {
	for n := range maxTries {
		r, err := b.measure(ctx, s, c)
		if err != nil {
			return best, err
		}
		_, _ = fmt.Fprintf(b.out, "%-14s %9.0f hits/s; its core: %s, others %s; sink's core: %s, others %s\n",
			c.name, r.hits, percent(r.cpu), percent(r.others), percent(r.sink), percent(max(0, r.sinkAll-r.sink)))
		if n == 0 || r.disturbance() < best.disturbance() {
			best = r
		}
		if best.disturbance() <= maxDisturbance {
			break
		}
	}
	return best, nil
}

// resultTable tells medians over the rounds; a ratio is to the first contender in the same round.
func resultTable(all []tool, rounds [][]measurement, void int) string {
	rows := [][]string{{
		"load generator", "sends", "hits/s", "ratio", "bytes/hit", "its core", "sink's core", "disturbed",
		"own count : sink's",
	}}
	for i, c := range all {
		over := func(of func(r, reference measurement) float64) float64 {
			var values []float64
			for _, round := range rounds {
				values = append(values, of(round[i], round[0]))
			}
			return median(values)
		}
		var own, seen uint64
		for _, round := range rounds {
			own, seen = own+round[i].own, seen+round[i].seen
		}
		rows = append(rows, []string{
			strings.TrimSpace(c.name + " " + c.version), c.sends,
			fmt.Sprintf("%.0f", over(func(r, _ measurement) float64 { return r.hits })),
			fmt.Sprintf("%.3f", over(func(r, reference measurement) float64 { return ratio(r.hits, reference.hits) })),
			fmt.Sprintf("%.0f", over(func(r, _ measurement) float64 { return r.bytes })),
			percent(over(func(r, _ measurement) float64 { return r.cpu })),
			percent(over(func(r, _ measurement) float64 { return r.sinkAll })),
			percent(over(func(r, _ measurement) float64 { return r.disturbance() })),
			fmt.Sprintf("%.4f", ratio(float64(own), float64(seen))),
		})
	}
	return markdownTable(rows) + fmt.Sprintf("\nMedians of %d valid rounds; %d were void.\n", len(rounds), void)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// median of the values; there must be one.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
