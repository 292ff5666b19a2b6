package history_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newReader returns a reader with the run "r" of a minute from noon on, and "open", which has been in progress since
// noon.
func newReader(t *testing.T) history.Reader {
	t.Helper()
	s, err := store.Open(t.Context(), afero.NewOsFs(), filepath.Join(t.TempDir(), "db"), store.Key{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	sum := runsummary.Summary{
		RunID: "r", Seed: 7, Started: noon, Ended: noon.Add(time.Minute), Reason: "stop_after_visits",
		Hits:   runsummary.Hits{Planned: 4321, Accepted: 4321},
		ByKind: map[string]runsummary.Hits{"pageview": {Planned: 4321, Accepted: 4321}},
	}
	config := map[string]string{"TIMEZONE": "America/New_York", "CONCURRENCY": "50", "STOP_AFTER_VISITS": "77",
		"MATOMO_TOKEN_AUTH": "***MASKED***"}
	r := record.Run{Head: record.Head{ID: "r", Kind: runsummary.Live, Seed: 7, Started: noon,
		Ended: new(noon.Add(time.Minute)), Reason: sum.Reason}, Config: config, Summary: &sum}
	open := record.Run{Head: record.Head{ID: "open", Kind: runsummary.Live, Seed: 7, Started: noon}, Config: config}
	for _, err := range []error{
		s.BeginRun(t.Context(), r), s.EndRun(t.Context(), r),
		s.SaveInterval(t.Context(), "r",
			record.Interval{At: noon, Body: []byte(`{"hits":{"accepted":4321},"visits":720}`)}),
		s.BeginRun(t.Context(), open),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return history.Reader{Store: s, Now: func() time.Time {
		return noon.Add(30 * time.Second)
	}, Ledger: func(id string) (*runsummary.Summary, error) {
		return &runsummary.Summary{RunID: id, Started: noon, Hits: runsummary.Hits{Planned: 2160, Accepted: 2160}}, nil
	}}
}

func export(t *testing.T, b history.Reader, f history.Format, seconds []live.Point) string {
	t.Helper()
	var out bytes.Buffer
	if err := b.Export(t.Context(), &out, "r", f, seconds, "v1"); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHTMLExportHasTheLedgerSettingsAndTimeZone(t *testing.T) {
	t.Parallel()
	text := export(t, newReader(t), history.HTML, nil)
	for _, want := range []string{"4321", "STOP_AFTER_VISITS", "EST", "stop"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(text, "CONCURRENCY") || strings.Contains(text, "<script") {
		t.Error("want no defaults and no script")
	}
}

func TestHTMLExportUsesSecondsThatReachBackToTheStart(t *testing.T) {
	t.Parallel()
	b := newReader(t)
	var seconds []live.Point
	for i := range 90 { // the loadgen runs on for half a minute
		seconds = append(
			seconds,
			live.Point{
				Time:      noon.Add(time.Duration(i+1) * time.Second),
				VisitRate: 12,
				Delta:     runsummary.Hits{Accepted: 72},
			},
		)
	}
	bySecond, late, minutes := export(t, b, history.HTML, seconds), export(t, b, history.HTML, seconds[20:]),
		export(t, b, history.HTML, nil)
	if bySecond == minutes {
		t.Error("want the seconds to be used")
	}
	if late != minutes {
		t.Error("want seconds without the start not to be used")
	}
	r, err := b.Store.Run(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	r.Kind = runsummary.BackfillJob
	if err := b.Store.(*store.Store).EndRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if export(t, b, history.HTML, seconds) != export(t, b, history.HTML, nil) {
		t.Error("want the seconds of a live run not to be used for a backfill")
	}
}

func TestJSONExportHasTheEntireRun(t *testing.T) {
	t.Parallel()
	var got struct {
		history.Record
		Minutes []history.Interval
	}
	if err := json.Unmarshal([]byte(export(t, newReader(t), history.JSON, nil)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Seed != 7 || got.Summary.Hits.Planned != 4321 || got.Config["STOP_AFTER_VISITS"] != "77" ||
		len(got.Minutes) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestRunInProgressIsCompared(t *testing.T) {
	t.Parallel()
	c, err := newReader(t).Compare(t.Context(), "r", "open")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notes) != 1 || c.Notes[0] != "open is in progress after 30s" || c.B.Ended != nil {
		t.Errorf("%q", c.Notes)
	}
	for _, row := range c.Rows {
		if row.Group == "rates" && row.Name == "hit_rate" && (*row.A != 4321./60 || *row.B != 72 || row.BeyondNoise) {
			t.Errorf("%+v", row)
		}
	}
}

func TestLabelsAreTrimmedAndUnique(t *testing.T) {
	t.Parallel()
	if got, err := history.NormalizeLabels([]string{" a ", "b", "a"}); err != nil || strings.Join(got, ",") != "a,b" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := history.NormalizeLabels([]string{"", strings.Repeat("é", 51)}); err == nil ||
		!strings.Contains(err.Error(), "labels[0]") || !strings.Contains(err.Error(), "labels[1]") {
		t.Errorf("want both problems, got %v", err)
	}
	if got, err := history.NormalizeLabels(nil); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMinuteOfAnEarlierVersionIsClippedToTheRun(t *testing.T) {
	t.Parallel()
	b := newReader(t)
	body := []byte(`{"hits":{"accepted":60},"visits":10}`)
	if err := b.Store.(*store.Store).SaveInterval(t.Context(), "open",
		record.Interval{At: noon.Add(-40 * time.Second), Body: body}); err != nil {
		t.Fatal(err)
	}
	if err := b.Store.(*store.Store).SaveInterval(t.Context(), "open",
		record.Interval{At: noon.Add(20 * time.Second), Body: body}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Intervals(t.Context(), "open") // from noon on, half a minute ago
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if !got[0].At.Equal(noon) || got[0].Seconds != 20 || got[1].Seconds != 10 {
		t.Errorf("want 20 s from noon on and 10 s, got %v", got)
	}
}
