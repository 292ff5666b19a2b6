package sink_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

// visitors posts one page each of so many visitors over HTTP and counts the answers by status, 0 for a broken
// connection.
func visitors(t *testing.T, f fixture, n int) map[int]int {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	got := map[int]int{}
	for i := range n {
		id := fmt.Sprintf("%016x", i+1)
		resp, err := http.Post(server.URL+"/matomo.php", "application/x-www-form-urlencoded",
			strings.NewReader(page(1).with("cid", id, "_id", id).encode()))
		if err != nil {
			got[0]++
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body) // only the status matters
		_ = resp.Body.Close()
		got[resp.StatusCode]++
	}
	return got
}

func TestErrorsHaveTheirShareAndAreNotStored(t *testing.T) {
	const n = 1000
	f := start(func(c *sink.Config) { c.ErrorShare, c.ErrorStatus, c.Seed = 0.2, 503, 7 })
	got := visitors(t, f, n)
	if share := float64(got[503]) / n; share < 0.15 || share > 0.25 { // 4 standard errors
		t.Errorf("share of 503 is %v, want 0.2", share)
	}
	c := f.Counts()
	if c.Total.Visits != int64(got[200]) || c.Faults["answered 503"] != int64(got[503]) || c.Requests != n {
		t.Errorf("visits %d of %d answers 200; faults %v", c.Total.Visits, got[200], c.Faults)
	}
}

func TestBrokenConnectionsMayOrMayNotBeStored(t *testing.T) {
	const n = 600
	f := start(func(c *sink.Config) { c.DropShare, c.Seed = 0.3, 7 })
	got := visitors(t, f, n)
	if share := float64(got[0]) / n; share < 0.22 || share > 0.38 { // 4 standard errors
		t.Errorf("share of broken connections is %v, want 0.3", share)
	}
	c := f.Counts()
	stored, lost := c.Faults["dropped, stored"], c.Faults["dropped"]
	if stored == 0 || lost == 0 || stored+lost != int64(got[0]) {
		t.Errorf("faults %v for %d broken connections", c.Faults, got[0])
	}
	if c.Total.Visits != int64(got[200])+stored {
		t.Errorf("%d visits, want %d + %d", c.Total.Visits, got[200], stored)
	}
}

func TestOutagesCountFromTheStart(t *testing.T) {
	f := start(func(c *sink.Config) {
		c.Outages = []sink.Window{{After: 10 * time.Second, For: 5 * time.Second},
			{After: time.Minute, For: time.Second, Status: 503}}
	})
	cases := []struct {
		after time.Duration
		want  int
	}{{0, 200}, {9 * time.Second, 200}, {10 * time.Second, 0}, {14 * time.Second, 0}, {15 * time.Second, 200},
		{time.Minute, 503}, {61 * time.Second, 200}}
	for _, c := range cases {
		f.clock.Time = noon.Add(c.after)
		if got := visitors(t, f, 1); got[c.want] != 1 {
			t.Errorf("after %v: %v, want %d", c.after, got, c.want)
		}
	}
}

func TestALostHitIsNoViolation(t *testing.T) {
	f := start(func(c *sink.Config) { c.Outages = []sink.Window{{For: time.Second, Status: 503}} })
	entry := page(1).with("urlref", "https://www.google.com/").at(0)
	f.post(entry)
	f.clock.Time = noon.Add(time.Second)
	f.post(entry, extra(1, "e_c", "c", "e_a", "a").at(1)) // sent again, as after a 503
	f.wantRules(t)

	f = start(func(c *sink.Config) { c.Outages = []sink.Window{{For: time.Second, Status: 503}} })
	f.post(page(1).at(0))
	f.clock.Time = noon.Add(time.Second)
	f.post(extra(1, "e_c", "c", "e_a", "a").at(1)) // given up; the visit continues
	f.wantRules(t)
}

func TestTwoRequestsOfOneVisitorInFlightAreReported(t *testing.T) {
	cases := []struct {
		name, second string
		want         []string
	}{{"the same visitor", visitor, []string{sink.RuleParallel}}, {"another visitor", "fedcba9876543210", nil}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(func(cfg *sink.Config) { cfg.Delay = time.Second })
				var sent sync.WaitGroup
				for _, hit := range []params{page(1),
					page(1).with("cid", c.second, "_id", c.second, "pv_id", "abcdef")} {
					sent.Go(func() { f.post(hit) })
				}
				sent.Wait()
				f.wantRules(t, c.want...)
			})
		})
	}
}

func TestTheDelayIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(func(cfg *sink.Config) { cfg.Delay = 3 * time.Second })
		began := time.Now() // virtual
		f.post(page(1))
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("answered after %v", took)
		}
	})
}

func TestHitsAboveTheLimitQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(func(cfg *sink.Config) { cfg.Limit = 100 })
		began := time.Now() // virtual
		took := make([]time.Duration, 50)
		var sent sync.WaitGroup
		for i := range took {
			id := fmt.Sprintf("%016x", i+1)
			sent.Go(func() {
				f.post(page(1).with("cid", id, "_id", id))
				took[i] = time.Since(began)
			})
		}
		sent.Wait()
		slices.Sort(took)
		for i, d := range took {
			if want := time.Duration(i+1) * 10 * time.Millisecond; d != want {
				t.Errorf("hit %d was answered after %v, want %v", i+1, d, want)
			}
		}
		time.Sleep(time.Second) // idle time is not saved up
		began = time.Now()
		f.request(http.MethodPost, "/matomo.php", `{"requests":["?`+page(1).encode()+`","?`+page(2).encode()+`"]}`)
		if d := time.Since(began); d != 20*time.Millisecond {
			t.Errorf("two hits in one request were answered after %v", d)
		}
	})
}
