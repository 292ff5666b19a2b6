package reconcile_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// change is a run of ended whose part of the only target is changed.
func change(how func(*runsummary.Target)) reconcile.Run {
	r := ended()
	at := r.Summary.Targets["matomo"]
	how(&at)
	r.Summary.Targets["matomo"] = at
	return r
}

func TestReportsThatWereBehindWhenTheRunBeganHideNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		// 300 visits with 900 pages were in the raw log, and not in the reports.
		r.Before = before(
			time.Now(),
			matomo.Figures{},
			&evidence.RawLog{
				Visits:  evidence.Span{Least: 300, Most: 300},
				Actions: &evidence.Span{Least: 900, Most: 900},
			},
		)
		m := &shows{report: always(shown(visits+300, pages+900-2)), lately: holds(visits+300, pages+900-2)}
		got, _ := reconciled(t, m, r)
		if r := row(t, got, "actions"); r.Verdict != comparison.MatchShort || r.Off != -2 ||
			got.Verdict != comparison.MatchShort || got.Targets[0].Slice != "difference" {
			t.Errorf("a loss: %+v in %+v", r, got)
		}
		if r := row(t, got, "pageviews"); r.Verdict != comparison.MatchIncomparable || r.Why == "" {
			t.Errorf("898 pages too many that were there before: %+v", r)
		}
		m.report, m.lately = always(shown(visits+300, pages+900)), holds(visits+300, pages+900)
		if got, took := reconciled(t, m, r); got.Verdict != comparison.MatchEqual || took > 0 {
			t.Errorf("no loss, after %v: %+v", took, got)
		}
		m.report, m.lately = always(shown(visits+300, pages-1)), holds(visits+300, pages-1)
		if got, _ := reconciled(t, m, r); row(t, got, "pageviews").Verdict != comparison.MatchShort {
			t.Errorf("a loss that the reports show whatever was there before: %+v", got.Targets[0].Rows)
		}
	})
}

func TestTheRawLogGoesBeforeTheReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconciled(t, &shows{report: always(shown(4000, 20_000)), lately: holds(visits, pages-5)}, ended())
		if r := row(t, got, "actions"); r.Verdict != comparison.MatchShort || r.Off != -5 ||
			!strings.Contains(r.Why, "the reports show 20,000 so far") || took != reconcile.DefaultLimit {
			t.Errorf("a loss before the reports are made: %+v after %v", r, took)
		}
		if r := row(t, got, "pageviews"); r.Verdict != comparison.MatchNotArchived {
			t.Errorf("what nobody knows yet: %+v", r)
		}
		got, _ = reconciled(t, &shows{report: always(shown(4000, 20_000)), lately: holds(visits+9, pages)}, ended())
		if r := row(t, got, "visits"); r.Verdict != comparison.MatchMore || r.Off != 9 {
			t.Errorf("a surplus before the reports are made: %+v", r)
		}
		got, _ = reconciled(t, &shows{report: always(shown(visits, pages)), lately: holds(10, 50)}, ended())
		if got.Verdict != comparison.MatchEqual {
			t.Errorf("a raw log that was deleted since: %+v", got.Targets[0].Rows)
		}
	})
}

func TestRefusedHitsWidenEveryRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := change(func(at *runsummary.Target) {
			at.ByKind["pageview"] = runsummary.Hits{Planned: pages, Accepted: pages - 30, Rejected: 30}
			at.Visits = runsummary.Visits{Planned: visits, Complete: visits - 6, Lost: 6}
			for _, rows := range []map[string]uint64{at.Opened.Days, at.Opened.Countries, at.Opened.Sources,
				at.Opened.Devices} {
				for name := range rows {
					rows[name] = visits - 6
				}
			}
		})
		m := &shows{report: always(shown(visits-2, pages-10)), lately: holds(visits-2, pages-10)}
		got, took := reconciled(t, m, r)
		if got.Verdict != comparison.MatchEqual || took > 0 {
			t.Errorf("%+v", got.Targets[0].Rows)
		}
		for _, r := range got.Targets[0].Rows {
			if r.Verdict == comparison.MatchEqual && r.Recorded > 0 && r.Recorded > r.Sent && r.Most <= r.Sent {
				t.Errorf("not widened: %+v", r)
			}
		}
		m.report, m.lately = always(shown(visits+1, pages)), holds(visits+1, pages)
		if got, _ := reconciled(t, m, r); row(t, got, "visits").Verdict != comparison.MatchMore {
			t.Errorf("more visits than there were: %+v", got.Targets[0].Rows[0])
		}
	})
}

func TestASecondHalfOfAVisitIsNotSureBesideARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := change(func(at *runsummary.Target) {
			at.ByKind["pageview"] = runsummary.Hits{Planned: pages, Accepted: pages - 1, Rejected: 1}
			at.Visits.Split = 1 // unless the refused hit kept the visit open
		})
		for _, n := range []uint64{visits, visits + 1} {
			if got, _ := reconciled(t, &shows{report: always(shown(n, pages)), lately: holds(n, pages)}, r); row(t, got,
				"visits").Verdict != comparison.MatchEqual {
				t.Errorf("%d: %+v", n, got.Targets[0].Rows[0])
			}
		}
	})
}

func TestMoneyInDoubtIsBoundByTheLargestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := change(func(at *runsummary.Target) {
			at.ByKind["order"] = runsummary.Hits{Planned: 12, Accepted: 10, Unknown: 1, Rejected: 1}
			at.Revenue, at.Items = 1000, 30
		})
		with := func(orders uint64, revenue float64) *shows {
			s := shown(visits, pages)
			s.Hits["order"], s.Items, s.Revenue = orders, 30, revenue
			return &shows{report: always(s), lately: holds(visits, pages)}
		}
		for _, c := range []struct {
			largest *reconcile.Order
			orders  uint64
			revenue float64
			want    comparison.Match
			most    float64
		}{
			{&reconcile.Order{Revenue: 300, Items: 15}, 12, 1600, comparison.MatchEqual, 1600},
			{&reconcile.Order{Revenue: 300, Items: 15}, 12, 1600.01, comparison.MatchMore, 1600},
			{&reconcile.Order{Revenue: 300, Items: 15}, 11, 22_000, comparison.MatchMore, 1600},
			{&reconcile.Order{Revenue: 300, Items: 15}, 10, 999, comparison.MatchShort, 1600},
			{nil, 12, 1600, comparison.MatchIncomparable, 1000},
			{nil, 10, 1000, comparison.MatchEqual, 1000},
			{nil, 10, 999, comparison.MatchShort, 1000},
		} {
			r.Largest = c.largest
			got, _ := reconciled(t, with(c.orders, c.revenue), r)
			if r := row(t, got, "revenue"); r.Verdict != c.want || r.Most != c.most || r.Recorded != c.revenue {
				t.Errorf("%+v: %+v", c, r)
			}
		}
		large := change(func(at *runsummary.Target) {
			at.ByKind["order"] = runsummary.Hits{Planned: 12, Accepted: 10, Unknown: 2}
			at.Revenue = 1_720_000
		})
		large.Largest = &reconcile.Order{Revenue: 5000}
		if got, _ := reconciled(t, with(10, 1_720_000), large); !strings.Contains(row(t, got, "revenue").Why,
			"between 1,720,000 accepted and 1,730,000") {
			t.Errorf("%+v", row(t, got, "revenue"))
		}
	})
}

func TestTheLargestOrderIsThatOfTheSettingsAndFunnelsOfTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		config, steps string
		want          *reconcile.Order
	}{
		"drawn": {`"ECOMMERCE_TAX_RATE":"0"`, ``,
			&reconcile.Order{Revenue: 299.99, Tax: .01, Shipping: 15.99, Items: 15}},
		"a large one": {`"ECOMMERCE_TAX_RATE":"0"`, `"ecommerce_revenue":5000,"ecommerce_items":40`,
			&reconcile.Order{Revenue: 5000, Tax: 5000, Shipping: 5000, Items: 40}},
		"its subtotal": {`"ECOMMERCE_TAX_RATE":"0","ECOMMERCE_SHIPPING_RATES":"10"`, `"ecommerce_subtotal":1000`,
			&reconcile.Order{Revenue: 1010.01, Tax: .01, Shipping: 10, Items: 15}},
		"tax on top":        {`"ECOMMERCE_TAX_RATE":"0","ECOMMERCE_ORDER_VALUE_MAX":"100","ECOMMERCE_SHIPPING_RATES":"0"`, `"ecommerce_tax":50`, &reconcile.Order{Revenue: 150, Tax: 50, Items: 15}},
		"its pieces alone":  {`"ECOMMERCE_TAX_RATE":"0"`, `"ecommerce_items":400`, nil},
		"files are unknown": {`"ECOMMERCE_TAX_RATE":"0"`, `-`, nil},
	} {
		k, b := keeper(t, &shows{}, sentTo())
		b.run.Config = map[string]string{}
		if err := json.Unmarshal([]byte(`{"MATOMO_URL":"`+tracker+`",`+c.config+`}`), &b.run.Config); err != nil {
			t.Fatal(err)
		}
		if b.files = map[string][]byte{exchange.EnvFile: nil}; c.steps != "" {
			b.files[exchange.FunnelsFile] = []byte(
				`[{"name":"f","probability":1,"enabled":true,"steps":[{"type":"pageview","url":"https://a.test/"},{"type":"ecommerce",` + c.steps + `,"delay_seconds_min":0,"delay_seconds_max":0}]}]`,
			)
		}
		if c.steps == "-" {
			b.files = nil
		}
		r, err := k.Load(t.Context(), "r1")
		if err != nil || (r.Largest == nil) != (c.want == nil) || c.want != nil && *r.Largest != *c.want {
			t.Errorf("%s: %+v, %v", name, r.Largest, err)
		}
	}
}

func TestDaysOnWhichAnythingMayHaveBeenSentAreAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := change(func(at *runsummary.Target) {
			at.ByKind["pageview"] = runsummary.Hits{Planned: 9, Unknown: 9}
			at.Totals = runsummary.Totals{Visits: runsummary.Visits{Planned: 3, Uncertain: 3}}
		})
		// at midnight: its visits lie before
		r.Summary.Started, r.Summary.Ended = time.Now(), time.Now().Add(time.Minute)
		m := &shows{report: always(matomo.Figures{}), lately: holds(0, 0)}
		got, _ := reconciled(t, m, r)
		if s := m.asked[0]; s.From.Format(time.DateOnly) != "1999-12-31" ||
			s.To.Format(time.DateOnly) != "2000-01-01" || got.Verdict != comparison.MatchIncomparable {
			t.Errorf("live: asked for %+v, %s", s, got.Verdict)
		}
		split := change(func(at *runsummary.Target) {
			at.Totals = runsummary.Totals{Visits: runsummary.Visits{Planned: 3, Complete: 3, Split: 1},
				Opened: runsummary.Opened{Days: map[string]uint64{"1999-12-31": 3}}}
		})
		split.Summary.Started, split.Summary.Ended = r.Summary.Started.Add(-time.Minute), r.Summary.Ended
		m.asked = nil
		if _, _ = reconciled(t, m, split); m.asked[0].From.Format(time.DateOnly) != "1999-12-31" ||
			m.asked[0].To.Format(time.DateOnly) != "2000-01-01" {
			t.Errorf("visits split at midnight: asked for %+v", m.asked[0])
		}
		m.asked = nil
		r.Summary.Kind, r.Summary.Backfill = runsummary.BackfillJob, &runsummary.Backfill{
			Days: []runsummary.BackfillDay{
				{Date: "1999-11-01", Planned: 3}, {Date: "1999-11-02", Planned: 3, Unknown: 3},
				{Date: "1999-11-05", Planned: 3, Rejected: 3}, {Date: "1999-11-06", Planned: 3},
			},
		}
		m.asked = nil
		if _, _ = reconciled(t, m, r); m.asked[0].From.Format(time.DateOnly) != "1999-11-02" ||
			m.asked[0].To.Format(time.DateOnly) != "1999-11-05" {
			t.Errorf("a backfill: asked for %+v", m.asked[0])
		}
	})
}

func TestASurplusIsNoSuccessUnlessSomethingExplainsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(visits+106, pages)), lately: holds(visits+106, pages)}
		got, _ := reconciled(t, m, ended())
		if c := got.Targets[0].Causes; got.Verdict != comparison.MatchMore || len(c) != 1 ||
			c[0].Kind != "visits_split" ||
			!strings.Contains(c[0].Cure, "visit_standard_length") {
			t.Errorf("visits that Matomo splits: %s %+v", got.Verdict, c)
		}
		m.report, m.lately = always(shown(visits, pages+7)), holds(visits, pages+7)
		got, _ = reconciled(t, m, ended())
		if c := got.Targets[0].Causes; got.Verdict != comparison.MatchMore || len(c) != 1 || c[0].Kind != "surplus" {
			t.Errorf("hits that are there twice: %s %+v", got.Verdict, c)
		}
		r := ended()
		r.Before = nil
		if got, _ := reconciled(t, m, r); got.Verdict != comparison.MatchEqual ||
			row(t, got, "pageviews").Verdict != comparison.MatchIncomparable {
			t.Errorf("where nobody looked before: %s %+v", got.Verdict, row(t, got, "pageviews"))
		}
		m.report, m.lately = always(shown(visits+50, pages+300)), holds(visits+50, pages+300)
		if got, _ := reconciled(t, m, r); got.Verdict != comparison.MatchIncomparable ||
			row(t, got, "orders").Verdict != comparison.MatchEqual {
			t.Errorf("visits of others may hide what is missing, whatever else is equal: %s", got.Verdict)
		}
	})
}

func TestTargetsOfOneSiteAreAddedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sentTo()
		half := s.Targets["matomo"]
		half.URL = strings.Replace(tracker, "matomo.php", "piwik.php", 1)
		s.Targets["other"] = half
		m := &shows{report: always(shown(2*visits, 2*pages)), lately: holds(2*visits, 2*pages)}
		k, _ := keeper(t, m, s)
		r, err := k.Load(t.Context(), "r1")
		if err != nil || len(r.Sites) != 1 {
			t.Fatalf("%+v, %v", r.Sites, err)
		}
		got, _ := reconciled(t, m, r)
		if p := got.Targets[0].Parts; row(t, got, "visits").Sent != 2*visits ||
			row(t, got, "visits").Verdict != comparison.MatchEqual || len(p) != 2 ||
			p[1] != (comparison.ReconciledPart{Name: "other", Visits: visits, Hits: pages}) {
			t.Errorf("%+v", got.Targets[0])
		}
	})
}

// Two tracker nodes on hosts of their own are one Matomo where their API is one, and loss at one is no surplus at the
// other.
func TestNodesWithOneAPIAreAddedUp(t *testing.T) {
	const api = "https://reports.test/index.php"
	nodes := []target.Target{
		{Name: "node 1", URL: "https://n1.test/matomo.php", SiteID: 1, Token: "one",
			Access: target.Access{APIURL: api}},
		{Name: "node 2", URL: "https://n2.test/matomo.php", SiteID: 1, Token: "two",
			Access: target.Access{APIURL: "https://REPORTS.test:443/index.php"}},
	}
	for name, known := range map[string]string{"the ledger names the API": api, "the API was saved after the run": ""} {
		synctest.Test(t, func(t *testing.T) {
			s := sentTo()
			half := s.Targets["matomo"]
			s.Targets = map[string]runsummary.Target{}
			for _, n := range nodes {
				half.URL, half.APIURL = n.URL, known
				s.Targets[n.Name] = half
			}
			m := &shows{report: always(shown(2*visits-9, 2*pages-20)), lately: holds(2*visits-9, 2*pages-20)}
			k, _ := keeperOf(t, m, s, nodes)
			r, err := k.Load(t.Context(), "r1")
			if err != nil || len(r.Sites) != 1 || r.Sites[0].API() != api || r.Sites[0].APIToken() != "one" {
				t.Fatalf("%s: %+v, %v", name, r.Sites, err)
			}
			got, _ := reconciled(t, m, r)
			if v := row(t, got, "visits"); v.Sent != 2*visits || v.Verdict != comparison.MatchShort ||
				len(got.Targets[0].Parts) != 2 {
				t.Errorf("%s: %+v", name, got.Targets[0])
			}
		})
	}
}

func TestASiteThatWasSentToUnderAnotherNumberIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sentTo()
		at := s.Targets["matomo"]
		at.SiteID = 77
		s.Targets["matomo"] = at
		m := &shows{denied: errors.New("ask VisitsSummary.get: refused with status 401")}
		k, _ := keeper(t, m, s)
		r, err := k.Load(t.Context(), "r1")
		if err != nil || r.Sites[0].SiteID != 77 || r.Sites[0].Token != "t" {
			t.Fatalf("%+v, %v", r.Sites, err)
		}
		got, _ := reconciled(t, m, r)
		if e := got.Targets[0].Error; !strings.Contains(e, "The run sent to site 77") ||
			!strings.Contains(e, "site 1") {
			t.Errorf("%q", e)
		}
	})
}
