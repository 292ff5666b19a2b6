package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/hit"
)

// token is known to the demo's sink alone.
const token = "d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0"

// client talks to the controller and to the sink.
type client struct{ base, key, sink string }

// call asks the controller and reads its answer into out, unless that is nil.
func (c client) call(ctx context.Context, method, path string, body, out any) error {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("X-API-Key", strings.TrimSpace(c.key))
	req.Header.Set("Content-Type", "application/json")
	return do(req, out)
}

func do(req *http.Request, out any) error {
	what := req.Method + " " + req.URL.Path
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s: %s", what, resp.Status, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// start saves a configuration for the sink and starts a run. It has no end of its own where seconds is 0.
func (c client) start(ctx context.Context, seconds float64) error {
	err := c.call(ctx, http.MethodPut, "/api/config", map[string]any{"config": map[string]any{
		"MATOMO_URL": c.sink, "MATOMO_TOKEN_AUTH": token, "TARGET_VISITS_PER_DAY": visitsPerSecond * maxSeconds,
		"BOUNCE_PROBABILITY": 0.2, "PAUSE_BETWEEN_PVS_MIN": 0.2, "PAUSE_BETWEEN_PVS_MAX": 1,
		"AUTO_STOP_AFTER_HOURS": seconds / 3600,
		"RUN_DIMENSION":         1, // by which the sink tells the visits of a run apart
	}}, nil)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, "/api/start", nil, nil)
}

const visitsPerSecond = 10

// greet tells what there is to see and where.
func (c client) greet(ctx context.Context, out io.Writer, seconds float64) error {
	var link struct{ Code string }
	if err := c.call(ctx, http.MethodPost, "/api/session/codes", nil, &link); err != nil {
		return err
	}
	ending := "Press Ctrl-C to end the demo and compare the results."
	if seconds > 0 {
		ending = fmt.Sprintf(
			"No new visits after %g s; when the open ones have finished, the results are compared.",
			seconds,
		)
	}
	_, err := fmt.Fprintf(out, `
Trafficinator is sending %d visits per second to a sink that counts like Matomo.

  Open it (signs in once):  %s/#code=%s
  API documentation:    %s/docs

%s%s

`, visitsPerSecond, c.base, link.Code, c.base, c.plain(ctx), ending)
	return err
}

// plain says so where the plain page stands in for the user interface.
func (c client) plain(ctx context.Context) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/", nil)
	if err != nil {
		return ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || !bytes.Contains(page, []byte("the user interface was not built")) {
		return ""
	}
	return "The user interface was not built, which takes Node: a plain page stands in for it.\n"
}

// status is what of GET /api/status the demo shows.
type status struct {
	Phase string
	Run   *struct{ Ended *time.Time }
	Stats *struct {
		Sample struct {
			Hits    struct{ Accepted, Rejected, Failed, Unknown, Shed uint64 }
			ByKind  map[string]struct{ Accepted uint64 } `json:"by_kind"`
			Visits  map[string]uint64
			HitRate float64 `json:"hit_rate"`
			Open    uint64  `json:"open_visits"`
		}
	}
}

// watch prints a line of counts each second, over the last one on a terminal and every fifth second elsewhere, until
// ctx is done or, where ends says so, until the run has ended.
func (c client) watch(ctx context.Context, out io.Writer, terminal, ends bool) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; ; second++ {
		select {
		case <-ctx.Done():
			_, _ = fmt.Fprintln(out)
			return nil
		case <-tick.C:
		}
		var s status
		if err := c.call(ctx, http.MethodGet, "/api/status", nil, &s); err != nil {
			if ctx.Err() != nil {
				continue
			}
			return err
		}
		if ends && s.Run != nil && s.Run.Ended != nil {
			_, _ = fmt.Fprintln(out)
			return nil
		}
		switch line := s.line(second); {
		case terminal:
			_, _ = fmt.Fprintf(out, "\r%-78s", line)
		case second%5 == 0:
			_, _ = fmt.Fprintln(out, line)
		}
	}
}

func (s status) line(second int) string {
	if s.Stats == nil {
		return fmt.Sprintf("%4d s  nothing runs", second)
	}
	n := s.Stats.Sample
	return fmt.Sprintf("%4d s  %d visits, %d open  %d hits accepted, %.0f a second  %d orders  %d lost",
		second, n.Visits["planned"], n.Open, n.Hits.Accepted, n.HitRate, n.ByKind[hit.Order.String()].Accepted,
		n.Hits.Rejected+n.Hits.Failed+n.Hits.Unknown+n.Hits.Shed)
}
