package cli

import (
	"fmt"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	reporting "github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// The figures of the sink's Reporting API, read by the client for real ones, are those that the ledger reports as
// accepted.
func TestReportsShowWhatWasAccepted(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{
		"ECOMMERCE_PROBABILITY": "0.3", "RUN_ID": "reported", "RUN_DIMENSION": "4", "STATE_DIR": "/state",
	}))
	l.ends(t, 0)
	s := l.summary(t)
	to := target.Target{Name: "sink", URL: m.url, SiteID: 1, Token: token}
	today := time.Now()
	slice := reporting.Query{From: today.AddDate(0, 0, -2), To: today.AddDate(0, 0, 2), Segment: "dimension4==reported"}
	got, err := reporting.NewClient(patience, target.Environment{}).Figures(t.Context(), to, slice)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"pageview", "search", "event", "outlink", "download", "order"} {
		if n := got.Hits[kind]; n != s.ByKind[kind].Accepted || n == 0 {
			t.Errorf("%s: %d accepted, %d reported", kind, s.ByKind[kind].Accepted, n)
		}
	}
	for what, pair := range map[string][2]any{
		"visits":    {s.Visits.Complete + s.Visits.Partial + s.Visits.Split, got.Visits},
		"revenue":   {fmt.Sprintf("%.6f", s.Revenue), fmt.Sprintf("%.6f", got.Revenue)},
		"tax":       {fmt.Sprintf("%.6f", s.Tax), fmt.Sprintf("%.6f", got.Tax)},
		"shipping":  {fmt.Sprintf("%.6f", s.Shipping), fmt.Sprintf("%.6f", got.Shipping)},
		"items":     {s.Items, got.Items},
		"days":      {fmt.Sprint(s.Opened.Days), fmt.Sprint(got.Days)},
		"countries": {fmt.Sprint(s.Opened.Countries), fmt.Sprint(got.Countries)},
		"sources":   {fmt.Sprint(s.Opened.Sources), fmt.Sprint(got.Sources)},
		"devices":   {fmt.Sprint(s.Opened.Devices), fmt.Sprint(got.Devices)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v accepted, %v reported", what, pair[0], pair[1])
		}
	}
	slice.Segment = "dimension4==another"
	if none, err := reporting.NewClient(patience, target.Environment{}).Figures(t.Context(), to, slice); err != nil ||
		none.Visits != 0 {
		t.Errorf("%+v, %v", none, err)
	}
}

// A page with a campaign's parameter decides the source of the visits that start on it.
func TestCampaignVisitsAreReportedBySource(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	fsys := afero.NewMemMapFs()
	pages := "https://a.test/one\nhttps://a.test/sale?mtm_campaign=spring\nhttps://a.test/two#utm_campaign=summer\nhttps://a.test/asked?ignore_referrer=1\n"
	if err := afero.WriteFile(fsys, "/urls.txt", []byte(pages), 0o600); err != nil {
		t.Fatal(err)
	}
	l := start(t, fsys, settings(m, map[string]string{"URLS_FILE": "/urls.txt", "STATE_DIR": "/state"}))
	l.ends(t, 0)
	s := l.summary(t)
	to := target.Target{Name: "sink", URL: m.url, SiteID: 1, Token: token}
	today := time.Now()
	got, err := reporting.NewClient(patience, target.Environment{}).Figures(t.Context(), to,
		reporting.Query{From: today.AddDate(0, 0, -2), To: today.AddDate(0, 0, 2)})
	if err != nil || fmt.Sprint(s.Opened.Sources) != fmt.Sprint(got.Sources) || got.Sources["campaign"] == 0 {
		t.Errorf("%v accepted, %v reported, %v", s.Opened.Sources, got.Sources, err)
	}
}
