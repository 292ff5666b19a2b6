package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
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
var ErrNoLedger = fault.Conflict.New("the run left no ledger, so that there is nothing to report; export it as json")

// Interval is a row of a run's series: what happened in the Seconds from At on.
type Interval struct {
	At      time.Time       `json:"at"`
	Seconds float64         `json:"seconds"`
	Numbers json.RawMessage `json:"numbers"`
}

// intervals are those of a run in order.
func (b Reader) intervals(ctx context.Context, r Record) ([]Interval, error) {
	rows, err := b.Store.Intervals(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Interval, len(rows))
	for i, row := range rows {
		var n live.Interval
		if err := json.Unmarshal(row.Body, &n); err != nil {
			return nil, fmt.Errorf("read interval of run %s: %w", r.ID, err)
		}
		out[i] = Interval{row.At, n.Seconds, row.Body}
		if n.Seconds == 0 {
			out[i] = r.clipToRun(out[i], b.Now())
		}
	}
	return out, nil
}

// withinMinute is the part of a minute of the clock in which the run lasted: earlier versions stored its minutes by the
// clock and without a length.
func (r Record) clipToRun(i Interval, now time.Time) Interval {
	from, to := r.Span(now)
	end := i.At.Add(time.Minute)
	if to.After(i.At) && to.Before(end) {
		end = to
	}
	if from.After(i.At) && from.Before(end) {
		i.At = from
	}
	i.Seconds = end.Sub(i.At).Seconds()
	return i
}

// Intervals are those of a run in order. The error is fault.NotFound where there is no such run.
func (b Reader) Intervals(ctx context.Context, id string) ([]Interval, error) {
	r, err := b.Record(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.intervals(ctx, r)
}

// Export writes a run. seconds are the points of its time where they are still known; where they do not reach back to
// its start the intervals are used. The errors are fault.NotFound and ErrNoLedger.
func (b Reader) Export(ctx context.Context, w io.Writer, id string, f Format, seconds []live.Point,
	version string) error {
	r, err := b.Record(ctx, id)
	if err != nil {
		return err
	}
	intervals, err := b.intervals(ctx, r)
	if err != nil {
		return err
	}
	if f == JSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		recorded, err := b.reconciliation(ctx, id)
		if err != nil {
			return err
		}
		return enc.Encode(struct {
			Record
			Minutes  []Interval                 `json:"minutes"`
			Recorded *comparison.Reconciliation `json:"recorded"`
		}{r, intervals, recorded})
	}
	if r.Summary == nil {
		return ErrNoLedger
	}
	out := r.exportRun(version)
	recorded, err := b.reconciliation(ctx, id)
	if err != nil {
		return err
	}
	if recorded != nil {
		out.Sections = []export.Section{recorded}
	}
	if f == JUnit {
		return export.JUnit(w, &out)
	}
	if r.Kind == runsummary.BackfillJob {
		seconds = nil // they are of the run that went on beside it
	}
	if out.Series, err = r.series(intervals, seconds, b.Now()); err != nil {
		return err
	}
	return export.HTML(w, &out)
}

// recorded is what was found when the run was reconciled, nil where nobody did.
func (b Reader) reconciliation(ctx context.Context, id string) (*comparison.Reconciliation, error) {
	body, err := b.Store.Figures(ctx, id, record.Reconciliation)
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out, err := comparison.DecodeReconciliation(body)
	if err != nil {
		return nil, fmt.Errorf("read reconciliation of run %s: %w", id, err)
	}
	return &out, nil
}

func (r Record) exportRun(version string) export.Run {
	out := export.Run{
		Summary: *r.Summary, ExitCode: r.ExitCode, Note: r.Note, Labels: r.Labels, Version: version,
	}
	out.Summary.Kind = r.Kind
	for _, f := range spec.Fields() {
		if v := r.Config[f.Key]; v != "" && v != f.Default {
			out.Settings = append(out.Settings, export.Setting{Key: f.Key, Value: v})
		}
	}
	knobs, _ := r.Settings()
	out.Zone = knobs.Timezone.Location()
	for _, f := range slices.DeleteFunc(slices.Clone(r.Files), func(f record.File) bool {
		return f.Name == exchange.EnvFile
	}) {
		out.Files = append(out.Files, export.File{Name: f.Name, Hash: f.Hash})
	}
	for _, p := range r.Problems {
		out.Problems = append(out.Problems,
			export.Problem{Time: p.Time, Level: strings.ToLower(p.Level), Text: p.Text})
	}
	return out
}

// late is how much of the begin of a run its seconds may lack: the controller looks once a second.
const maxDelay = 5 * time.Second

func (r Record) series(intervals []Interval, seconds []live.Point, now time.Time) ([]export.Point, error) {
	from, to := r.Span(now)
	var out []export.Point
	if len(seconds) > 0 && seconds[0].Time.Sub(from) < maxDelay {
		for before := from; len(seconds) > 0 && !seconds[0].Time.After(to.Add(time.Second)); seconds = seconds[1:] {
			p := seconds[0]
			length := p.Time.Sub(before)
			out = append(out, export.Point{
				At: before, Length: length, Hits: p.Delta,
				Visits: uint64(p.VisitRate*length.Seconds() + .5), Latency: p.Latency,
			})
			before = p.Time
		}
		return out, nil
	}
	for _, i := range intervals {
		var n live.Interval
		if err := json.Unmarshal(i.Numbers, &n); err != nil {
			return nil, fmt.Errorf("read interval of run %s: %w", r.ID, err)
		}
		length := time.Duration(i.Seconds * float64(time.Second))
		out = append(out, export.Point{
			At: i.At, Length: length, Hits: n.Delta, Visits: n.Visits, Latency: n.Latency,
		})
	}
	return out, nil
}
