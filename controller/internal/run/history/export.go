package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// Format is the format of an export.
type Format string

// The formats: JSON has everything, HTML is a self-contained page, JUnit has the thresholds for CI.
const (
	JSON  Format = "json"
	HTML  Format = "html"
	JUnit Format = "junit"
)

// ErrNoLedger means that the run has no summary.
var ErrNoLedger = fault.Conflict.New("the run has no summary; only the JSON export is available")

// Interval is a row of a run's series: what it did in the Seconds from At on.
type Interval struct {
	At      time.Time       `json:"at"`
	Seconds float64         `json:"seconds"`
	Numbers json.RawMessage `json:"numbers"`

	decoded live.Interval // Numbers
}

// Intervals returns the series of a run in order, or fault.NotFound.
func (b Reader) Intervals(ctx context.Context, id string) ([]Interval, error) {
	r, err := b.Record(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.intervals(ctx, r)
}

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
		out[i] = Interval{row.At, n.Seconds, row.Body, n}
		if n.Seconds == 0 {
			out[i].clip(r.Span(b.Now()))
		}
	}
	return out, nil
}

// clip sets the part of a minute of the clock in which the run was in progress: earlier versions stored minutes of the
// clock, without a length.
func (i *Interval) clip(from, to time.Time) {
	end := i.At.Add(time.Minute)
	if to.After(i.At) && to.Before(end) {
		end = to
	}
	if from.After(i.At) && from.Before(end) {
		i.At = from
	}
	i.Seconds = end.Sub(i.At).Seconds()
}

// Export writes a run. seconds are the points of its time that are still known; if they lack its start, the export uses
// the intervals. Errors: fault.NotFound and ErrNoLedger.
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
	if f != JSON && r.Summary == nil {
		return ErrNoLedger
	}
	recorded, err := b.reconciliation(ctx, id)
	if err != nil {
		return err
	}
	if f == JSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Record
			Minutes  []Interval                 `json:"minutes"`
			Recorded *comparison.Reconciliation `json:"recorded"`
		}{r, intervals, recorded})
	}
	out := r.exportRun(version)
	if recorded != nil {
		out.Sections = []export.Section{recorded}
	}
	if f == JUnit {
		return export.JUnit(w, &out)
	}
	if r.Kind == runsummary.BackfillJob {
		seconds = nil // they are those of the live run at the same time
	}
	out.Series = r.series(intervals, seconds, b.Now())
	return export.HTML(w, &out)
}

// reconciliation returns the reconciliation of a run, nil for none.
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
	settings, _ := r.Settings()
	out.Zone = settings.Timezone.Location()
	for _, f := range r.Files {
		if f.Name != exchange.EnvFile {
			out.Files = append(out.Files, export.File{Name: f.Name, Hash: f.Hash})
		}
	}
	for _, p := range r.Problems {
		out.Problems = append(out.Problems,
			export.Problem{Time: p.Time, Level: strings.ToLower(p.Level), Text: p.Text})
	}
	return out
}

// maxDelay is how much of the start of a run its seconds may lack: the controller polls once a second.
const maxDelay = 5 * time.Second

func (r Record) series(intervals []Interval, seconds []live.Point, now time.Time) (out []export.Point) {
	from, to := r.Span(now)
	if len(seconds) > 0 && seconds[0].Time.Sub(from) < maxDelay {
		before := from
		for _, p := range seconds {
			if p.Time.After(to.Add(time.Second)) {
				break
			}
			length := p.Time.Sub(before)
			out = append(out, export.Point{
				At: before, Length: length, Hits: p.Delta,
				Visits: uint64(p.VisitRate*length.Seconds() + .5), Latency: p.Latency,
			})
			before = p.Time
		}
		return out
	}
	for _, i := range intervals {
		out = append(out, export.Point{
			At: i.At, Length: time.Duration(i.Seconds * float64(time.Second)), Hits: i.decoded.Delta,
			Visits: i.decoded.Visits, Latency: i.decoded.Latency,
		})
	}
	return out
}
