package engine_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// inBulk sends up to ten hits a request at 20 visits a second.
func inBulk(c *engine.Config) {
	c.Batch, c.BatchDelay, c.Load, c.StopAfter = 10, time.Second, profile.NewConstant(20*86400), 200
}

// all is Matomo's receipt when it takes everything.
func all(hits []sent) answer.Receipt { return answer.Receipt{Tracked: len(hits)} }

func TestBulkRequestsCarryManyVisitorsHitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, inBulk)
		r.matomo.receipt = all
		_ = r.run(t.Context(), t.Context(), t)
		next, size := map[uint64]int{}, map[int]int{}
		for _, s := range r.matomo.log {
			if s.hit != next[s.visit] {
				t.Fatalf("visit %d: hit %d comes when %d is next", s.visit, s.hit, next[s.visit])
			}
			next[s.visit]++
			size[s.request]++
		}
		if len(r.matomo.log) != 600 || len(size) > 75 {
			t.Errorf("%d hits in %d requests, want 600 in about 60", len(r.matomo.log), len(size))
		}
		for n, hits := range size {
			if hits > 10 {
				t.Errorf("request %d carries %d hits", n, hits)
			}
		}
		c := r.ledger.Counts()
		if c.Visits[ledger.Complete] != 200 ||
			c.Bulk != (runsummary.Bulk{Requests: uint64(len(size)), Hits: 600, Tracked: 600}) {
			t.Errorf("visits %v, receipts %+v", c.Visits, c.Bulk)
		}
	})
}

func TestAHitWaitsForItsBatchNoLongerThanTheBatchDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { inBulk(c); c.StopAfter = 3 })
		r.matomo.receipt = all
		started := time.Now()
		_ = r.run(t.Context(), t.Context(), t)
		if took := time.Since(started); took > 100*time.Millisecond+5*time.Second {
			t.Errorf("three visits of 2 s took %v with a delay of 1 s for each of three requests", took)
		}
		if r.ended(outcome.Accepted) != 9 {
			t.Errorf("%+v", r.ledger.Counts().Total(-1))
		}
	})
}

func TestWithoutPausesAVisitGoesInOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { inBulk(c); c.Visits = hasty{} })
		r.matomo.receipt = all
		_ = r.run(t.Context(), t.Context(), t)
		in := map[uint64]map[int]bool{}
		for _, s := range r.matomo.log {
			if in[s.visit] == nil {
				in[s.visit] = map[int]bool{}
			}
			in[s.visit][s.request] = true
		}
		for v, requests := range in {
			if v > 2 && len(requests) != 1 { // the first prove the target
				t.Errorf("visit %d went in %d requests", v, len(requests))
			}
		}
	})
}

// hasty are visits without pauses.
type hasty struct{ visits }

func (h hasty) Outline(n uint64, v *visit.Visit) {
	h.visits.Outline(n, v)
	for i := range v.Hits {
		v.Hits[i].SendOffset = 0
	}
}

func TestAnUnprovenTargetGetsSingleHits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(context.Context, sent) tracking.Result {
			return classified(answer.Rejected)
		}, func(c *engine.Config) { inBulk(c); c.Visits = hasty{} })
		if reason := r.run(t.Context(), t.Context(), t); reason != endreason.NoTarget {
			t.Errorf("ended by %s", reason)
		}
		if n := len(r.matomo.log); n != 5 {
			t.Errorf("%d hits were tried, want 5: Matomo locks out after 20", n)
		}
	})
}

func TestABulkReceiptDecidesTheOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		receipt func(hits []sent) answer.Receipt
		want    map[outcome.Outcome]bool // outcomes there are
		bulk    func(runsummary.Bulk) bool
	}{
		"the bad ones are named": {
			func(hits []sent) answer.Receipt {
				if len(hits) < 3 {
					return all(hits)
				}
				return answer.Receipt{Tracked: len(hits) - 1, Invalid: 1, Indices: []int{2}}
			},
			map[outcome.Outcome]bool{outcome.Accepted: true, outcome.Rejected: true},
			func(b runsummary.Bulk) bool { return b.Invalid > 0 && b.Tracked+b.Invalid == b.Hits },
		},
		"the bad ones are not named": {
			func(hits []sent) answer.Receipt {
				if len(hits) < 3 {
					return all(hits)
				}
				return answer.Receipt{Tracked: len(hits) - 1, Invalid: 1}
			},
			map[outcome.Outcome]bool{outcome.Accepted: true, outcome.Unknown: true},
			func(b runsummary.Bulk) bool { return b.Invalid > 0 && b.Tracked+b.Invalid == b.Hits },
		},
		"some were left out": {
			func(hits []sent) answer.Receipt {
				if len(hits) < 3 {
					return all(hits)
				}
				return answer.Receipt{Tracked: len(hits) - 1}
			},
			map[outcome.Outcome]bool{outcome.Accepted: true, outcome.Unknown: true},
			func(b runsummary.Bulk) bool { return b.Invalid == 0 && b.Tracked < b.Hits },
		},
		"all are bad": {
			func(hits []sent) answer.Receipt {
				if len(hits) < 3 {
					return all(hits)
				}
				return answer.Receipt{Invalid: len(hits)}
			},
			map[outcome.Outcome]bool{outcome.Accepted: true, outcome.Rejected: true, outcome.Shed: true},
			func(b runsummary.Bulk) bool { return b.Invalid > 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(accept, inBulk)
				r.matomo.receipt = c.receipt
				_ = r.run(t.Context(), t.Context(), t)
				for o := range outcome.Outcome(outcome.Count) {
					if n := r.ended(o); (n > 0) != c.want[o] {
						t.Errorf("%d hits are %s", n, o)
					}
				}
				if b := r.ledger.Counts().Bulk; !c.bulk(b) {
					t.Errorf("receipts %+v", b)
				}
			})
		})
	}
}

func TestARolledBackBatchIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var lost []uint64
		r := newRig(nil, inBulk)
		r.matomo.receipt = all
		r.matomo.answer = func(_ context.Context, s sent) tracking.Result {
			if since := time.Since(started); since > 5*time.Second && since < 5200*time.Millisecond {
				lost = append(lost, s.visit)
				return classified(answer.RolledBack)
			}
			return tracking.Result{}
		}
		_ = r.run(t.Context(), t.Context(), t)
		if c := r.ledger.Counts(); len(lost) == 0 || c.Visits[ledger.Complete] != 200 {
			t.Errorf("%d requests were lost, visits %v", len(lost), c.Visits)
		}
	})
}

func TestARequestThatIsTooLargeIsSplit(t *testing.T) {
	for name, limit := range map[string]int{"some visits": 4, "less than a visit": 2, "single hits": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(accept, func(c *engine.Config) { inBulk(c); c.Visits = hasty{} })
				r.matomo.receipt, r.matomo.limit = all, limit
				_ = r.run(t.Context(), t.Context(), t)
				next := map[uint64]int{}
				for _, s := range r.matomo.taken {
					if s.hit != next[s.visit] {
						t.Fatalf("visit %d: hit %d is taken when %d is next", s.visit, s.hit, next[s.visit])
					}
					next[s.visit]++
				}
				c := r.ledger.Counts()
				if len(r.matomo.taken) != 600 || c.Visits[ledger.Complete] != 200 {
					t.Errorf("%d hits of 600 are taken, visits %v", len(r.matomo.taken), c.Visits)
				}
				// Those that were in flight with the first, and one of each smaller size: a size that works stays.
				if refused := len(r.matomo.log) - len(r.matomo.taken); refused == 0 || refused > 60 {
					t.Errorf("%d hits were refused", refused)
				}
			})
		})
	}
}

// One hit of a bulk run is larger than the target accepts: only that one fails, and requests stay as large.
func TestOnlyTheHitThatIsTooLargeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, inBulk)
		r.matomo.receipt = all
		r.matomo.tooLarge = func(s sent) bool { return s.visit == 150 && s.hit == 1 }
		_ = r.run(t.Context(), t.Context(), t)
		if c := r.ledger.Counts(); r.ended(outcome.Failed) != 1 || r.ended(outcome.Accepted) != 599 ||
			c.Visits[ledger.Complete] != 199 {
			t.Errorf("%+v, visits %v", c.Total(-1), c.Visits)
		}
		size := map[int]int{}
		for _, s := range r.matomo.taken {
			if s.visit > 160 {
				size[s.request]++
			}
		}
		if largest := slices.Max(slices.Collect(maps.Values(size))); largest < 10 {
			t.Errorf("later requests have %d hits", largest)
		}
	})
}

func TestAHitThatIsTooLargeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.visit == 7 && s.hit == 1 {
				return classified(answer.TooLarge)
			}
			return tracking.Result{}
		}, func(c *engine.Config) { c.StopAfter = 20 })
		_ = r.run(t.Context(), t.Context(), t)
		if c := r.ledger.Counts(); r.ended(outcome.Failed) != 1 || r.ended(outcome.Accepted) != 59 ||
			c.Visits[ledger.Partial] != 1 {
			t.Errorf("%+v", c.Total(-1))
		}
	})
}
