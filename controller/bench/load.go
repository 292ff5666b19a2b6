package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// asked are the questions of the clients; a page asks them too.
var asked = []string{
	"GET /api/status", "GET /api/status", "GET /api/status", "GET /api/config", "GET /api/config/schema",
	"GET /api/presets", "GET /api/funnels",
	"GET /api/targets", "GET /api/urls?limit=100", "GET /api/events", "GET /api/exchange", "GET /api/runs",
	"GET /api/logs?lines=100", "GET /api/live",
	"POST /api/validate", "GET /health",
}

// saving is of how many requests one saves the configuration: two a second of all.
const saving = 100

// load is the clients and what they met.
type load struct {
	base, config string
	client       *http.Client

	mu      sync.Mutex // guards what follows
	took    map[string][]time.Duration
	failed  []string
	events  []int // of each reader
	stops   []time.Duration
	resting []float64 // MiB, each second
}

func newLoad(base string) *load {
	return &load{
		base: base, took: map[string][]time.Duration{}, events: make([]int, readers),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients + readers}},
	}
}

// ask sends a request and reads the whole answer.
func (l *load) ask(ctx context.Context, method, path, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-API-Key", key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// prepare waits for the controller and starts a run to the tracker.
func (l *load) prepare(ctx context.Context, tracker string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for code := 0; code != http.StatusOK; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the controller: %w", ctx.Err())
		}
		code, _ = l.ask(ctx, http.MethodGet, "/health", "") // it comes up
	}
	l.config = fmt.Sprintf(
		`{"config":{"MATOMO_URL":%q,"TARGET_VISITS_PER_DAY":500000,"REQUEST_TIMEOUT":60,"CONCURRENCY":20}}`,
		tracker,
	)
	for _, step := range [][2]string{{"PUT", "/api/config"}, {"POST", "/api/start"}} {
		if code, err := l.ask(ctx, step[0], step[1], map[string]string{"PUT": l.config}[step[0]]); err != nil ||
			code != http.StatusOK {
			return fmt.Errorf("%s %s: %d %w", step[0], step[1], code, err)
		}
	}
	return nil
}

// run is the minute.
func (l *load) run(ctx context.Context, memory func() float64) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	for i := range readers {
		all.Go(func() { l.read(ctx, i) })
	}
	for i := range clients {
		all.Go(func() { l.visit(ctx, rand.New(rand.NewPCG(uint64(i), 1))) })
	}
	all.Go(func() { l.stopAndStart(ctx) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.mu.Lock()
			l.resting = append(l.resting, memory())
			l.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// visit is one client.
func (l *load) visit(ctx context.Context, rng *rand.Rand) {
	wait := time.NewTimer(time.Duration(rng.Int64N(int64(pause))))
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
		case <-ctx.Done():
			return
		}
		wait.Reset(pause)
		what, body := asked[rng.IntN(len(asked))], ""
		if rng.IntN(saving) == 0 {
			what = "PUT /api/config"
		}
		method, path, _ := strings.Cut(what, " ")
		if method != http.MethodGet {
			body = l.config
		}
		began := time.Now()
		code, err := l.ask(ctx, method, path, body)
		if ctx.Err() != nil {
			return
		}
		l.mu.Lock()
		l.took[what] = append(l.took[what], time.Since(began))
		if err != nil || code != http.StatusOK {
			l.failed = append(l.failed, fmt.Sprintf("%s: %d %v", what, code, err))
		}
		l.mu.Unlock()
	}
}

// read is one reader of the stream.
func (l *load) read(ctx context.Context, i int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/stream", nil)
	if err != nil {
		return
	}
	req.Header.Set("X-API-Key", key)
	resp, err := l.client.Do(req)
	if err == nil {
		defer resp.Body.Close() //nolint:errcheck // only read
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "event: ") {
				l.mu.Lock()
				l.events[i]++
				l.mu.Unlock()
			}
		}
		err = lines.Err()
	}
	if ctx.Err() == nil {
		l.mu.Lock()
		l.failed = append(l.failed, fmt.Sprintf("a stream ended early: %v", err))
		l.mu.Unlock()
	}
}

// stopAndStart stops the run, which drains, and starts another, over and over.
func (l *load) stopAndStart(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, what := range []string{"stop", "start"} {
			began := time.Now()
			code, err := l.ask(ctx, http.MethodPost, "/api/"+what, "")
			if ctx.Err() != nil {
				return
			}
			l.mu.Lock()
			if what == "stop" {
				l.stops = append(l.stops, time.Since(began))
			}
			if err != nil || code != http.StatusOK {
				l.failed = append(l.failed, fmt.Sprintf("%s: %d %v", what, code, err))
			}
			l.mu.Unlock()
		}
	}
}

// report prints what was measured and tells whether it is good.
func (l *load) report(out io.Writer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []time.Duration
	for _, what := range slices.Sorted(maps.Keys(l.took)) {
		d := slices.Sorted(slices.Values(l.took[what]))
		all = append(all, d...)
		_, _ = fmt.Fprintf(out, "%-24s %6d answers  p50 %6.1f ms  p99 %6.1f ms\n", what, len(d), at(d, .5), at(d, .99))
	}
	slices.Sort(all)
	_, _ = fmt.Fprintf(out, "all: %d answers, %.0f a second  p50 %.1f ms  p95 %.1f ms  p99 %.1f ms  most %.1f ms\n",
		len(all), float64(len(all))/length.Seconds(), at(all, .5), at(all, .95), at(all, .99), at(all, 1))
	_, _ = fmt.Fprintf(out, "%d readers got %d to %d events each; %d stops took up to %.1f s\n",
		readers, slices.Min(l.events), slices.Max(l.events), len(l.stops), slices.Max(append(l.stops, 0)).Seconds())
	// In the first seconds it is still filling its caches.
	n := len(l.resting)
	early, late := mean(l.resting[min(n, 20):min(n, 30)]), mean(l.resting[max(0, n-10):])
	_, _ = fmt.Fprintf(out, "memory: %.0f MiB after 20 s, %.0f MiB at the end\n", early, late)
	for _, f := range l.failed[:min(len(l.failed), 10)] {
		_, _ = fmt.Fprintln(out, "failed:", f)
	}
	return len(all) > 0 && len(l.failed) == 0 && at(all, .99) <= float64(most.Milliseconds()) && late <= growth*early
}

// at is a quantile in milliseconds.
func at(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Seconds() * 1000
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}
