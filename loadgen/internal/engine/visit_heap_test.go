package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// naive is a simple model of visitHeap.
type naive []openVisit

func (n *naive) next(now time.Duration) (openVisit, bool) {
	first := -1
	for i, o := range *n {
		if o.due <= now && (first < 0 || o.due < (*n)[first].due) {
			first = i
		}
	}
	if first < 0 {
		return openVisit{}, false
	}
	o := (*n)[first]
	*n = slices.Delete(*n, first, first+1)
	return o, true
}

func (n *naive) drop(number uint64) bool {
	i := slices.IndexFunc(*n, func(o openVisit) bool { return o.number == number })
	if i >= 0 {
		*n = slices.Delete(*n, i, i+1)
	}
	return i >= 0
}

func TestTheVisitHeapMatchesANaiveList(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var real visitHeap
		var model naive
		for step := range 4000 {
			now := time.Duration(step)
			switch rng.IntN(8) {
			case 0, 1, 2, 3: // moments are unique, so that both agree on the order
				o := openVisit{number: uint64(step), due: now + time.Duration(rng.IntN(500))*4000 + now}
				real.push(o)
				model = append(model, o)
			case 4, 5, 6:
				a, someA := real.popDue(2 * now)
				b, someB := model.next(2 * now)
				if someA != someB || a != b {
					t.Fatalf("seed %d, step %d: %+v %t, want %+v %t", seed, step, a, someA, b, someB)
				}
			case 7:
				if real.len() > 0 && !model.drop(real.popLast().number) {
					t.Fatalf("seed %d, step %d: a visit that was not there", seed, step)
				}
			}
			if real.len() != len(model) {
				t.Fatalf("seed %d, step %d: %d visits, want %d", seed, step, real.len(), len(model))
			}
		}
	}
}

func TestTheVisitHeapGrowsAndShrinksByChunks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var all visitHeap
	const n = 5*chunkSize + 17
	for i := range uint64(n) {
		all.push(openVisit{number: i, due: time.Duration(rng.IntN(1 << 40))})
	}
	before, seen := time.Duration(-1), map[uint64]bool{}
	for o, some := all.popDue(1 << 41); some; o, some = all.popDue(1 << 41) {
		if o.due < before || seen[o.number] {
			t.Fatalf("visit %d at %d after %d, seen before: %t", o.number, o.due, before, seen[o.number])
		}
		before, seen[o.number] = o.due, true
	}
	if len(seen) != n || len(all.chunks) > 2 {
		t.Errorf("popped %d of %d visits, %d chunks are left", len(seen), n, len(all.chunks))
	}
}

func TestAQueueKeepsItsOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	var q queue
	var model []uint64
	for i := range uint64(20_000) {
		switch {
		case rng.IntN(3) > 0:
			q.push(openVisit{number: i})
			model = append(model, i)
		case rng.IntN(5) == 0:
			q.pushFront(openVisit{number: i})
			model = slices.Insert(model, 0, i)
		case len(model) > 0:
			if got := q.pop().number; got != model[0] {
				t.Fatalf("visit %d comes, want %d", got, model[0])
			}
			model = model[1:]
		}
		if q.n != len(model) {
			t.Fatalf("%d wait, want %d", q.n, len(model))
		}
	}
}

// BenchmarkVisitHeap expires a visit and puts it back 50 s later, as a million open visits at 20,000 hits/s do.
func BenchmarkVisitHeap(b *testing.B) {
	for name, n := range map[string]int{"thousand": 1_000, "million": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			var all visitHeap
			for i := range n {
				all.push(openVisit{number: uint64(i), due: time.Duration(rng.Int64N(int64(50 * time.Second)))})
			}
			b.ReportAllocs()
			for b.Loop() {
				o, _ := all.popDue(1 << 62)
				o.due += 50 * time.Second
				all.push(o)
			}
		})
	}
}
