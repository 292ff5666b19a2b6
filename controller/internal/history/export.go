package history

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/report"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Format is that of an export.
type Format string

// The formats.
const (
	// JSON has everything, HTML is a report that stands alone, JUnit has the thresholds for CI.
	JSON  Format = "json"
	HTML  Format = "html"
	JUnit Format = "junit"
)

// ErrNoLedger is that of a run that left none: it has nothing to report.
var ErrNoLedger = errors.New("the run left no ledger, so that there is nothing to report; export it as json")

// Minute is a row of a run's series.
type Minute struct {
	At      time.Time       `json:"at"`
	Numbers json.RawMessage `json:"numbers"`
}

// Minutes are those of a run in order.
func (b Book) Minutes(ctx context.Context, id string) ([]Minute, error) {
	rows, err := b.Store.Minutes(ctx, id)
	out := make([]Minute, len(rows))
	for i, m := range rows {
		out[i] = Minute{m.At, m.Body}
	}
	return out, err
}

// Export writes a run. seconds are the points of its time where they are still known; where they do not reach back to
// its begin the minutes are told. The errors are store.ErrNotFound and ErrNoLedger.
func (b Book) Export(ctx context.Context, w io.Writer, id string, f Format, seconds []live.Point, version string) error {
	r, err := b.Record(ctx, id)
	if err != nil {
		return err
	}
	minutes, err := b.Minutes(ctx, id)
	if err != nil {
		return err
	}
	if f == JSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		recorded, err := b.recorded(ctx, id)
		if err != nil {
			return err
		}
		return enc.Encode(struct {
			Record
			Minutes  []Minute               `json:"minutes"`
			Recorded *record.Reconciliation `json:"recorded"`
		}{r, minutes, recorded})
	}
	if r.Summary == nil {
		return ErrNoLedger
	}
	out := r.report(version)
	if out.Recorded, err = b.recorded(ctx, id); err != nil {
		return err
	}
	if f == JUnit {
		return report.JUnit(w, &out)
	}
	if r.Kind == record.BackfillJob {
		seconds = nil // they are of the run that went on beside it
	}
	if out.Series, err = r.series(minutes, seconds, b.Now()); err != nil {
		return err
	}
	return report.HTML(w, &out)
}

// recorded is what was found when the run was reconciled, nil where nobody did.
func (b Book) recorded(ctx context.Context, id string) (*record.Reconciliation, error) {
	body, err := b.Store.Proof(ctx, id, store.Reconciliation)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out record.Reconciliation
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fmt.Errorf("read reconciliation of run %s: %w", id, err)
	}
	return &out, nil
}

func (r Record) report(version string) report.Run {
	out := report.Run{
		Summary: *r.Summary, ExitCode: r.ExitCode, Note: r.Note, Labels: r.Labels, Version: version,
	}
	out.Summary.Kind = r.Kind
	for _, f := range spec.Fields() {
		if v := r.Config[f.Key]; v != "" && v != f.Default {
			out.Settings = append(out.Settings, report.Setting{Key: f.Key, Value: v})
		}
	}
	zone, err := time.LoadLocation(cmp.Or(r.Config["TIMEZONE"], defaultZone()))
	if err == nil { // else it is told in UTC
		out.Zone = zone
	}
	for _, f := range slices.DeleteFunc(slices.Clone(r.Files), func(f store.RunFile) bool { return f.Name == exchange.EnvFile }) {
		out.Files = append(out.Files, report.File{Name: f.Name, Hash: f.Hash})
	}
	for _, p := range r.Problems {
		out.Problems = append(out.Problems, report.Problem{Time: p.Time, Level: strings.ToLower(string(p.Level)), Text: p.Text})
	}
	return out
}

func defaultZone() string {
	for _, f := range spec.Fields() {
		if f.Key == "TIMEZONE" {
			return f.Default
		}
	}
	return ""
}

// late is how much of the begin of a run its seconds may lack: the controller looks once a second.
const late = 5 * time.Second

func (r Record) series(minutes []Minute, seconds []live.Point, now time.Time) ([]report.Point, error) {
	from, to := r.span(now)
	var out []report.Point
	if len(seconds) > 0 && seconds[0].Time.Sub(from) < late {
		for before := from; len(seconds) > 0 && !seconds[0].Time.After(to.Add(time.Second)); seconds = seconds[1:] {
			p := seconds[0]
			length := p.Time.Sub(before)
			out = append(out, report.Point{
				At: before, Length: length, Hits: record.Hits(p.Delta), Visits: uint64(p.VisitRate*length.Seconds() + .5), Latency: record.Latency(p.Latency),
			})
			before = p.Time
		}
		return out, nil
	}
	for _, m := range minutes {
		var n live.Minute
		if err := json.Unmarshal(m.Numbers, &n); err != nil {
			return nil, fmt.Errorf("read minute of run %s: %w", r.ID, err)
		}
		out = append(out, report.Point{At: m.At, Length: time.Minute, Hits: record.Hits(n.Delta), Visits: n.Visits, Latency: record.Latency(n.Latency)})
	}
	return out, nil
}
