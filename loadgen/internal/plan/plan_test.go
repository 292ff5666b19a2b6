package plan_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

type set = map[string]string

// load makes the plan of env and of files in an exchange folder, with a fixed seed.
func load(t *testing.T, env, files set) (*plan.Plan, problem.List) {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := fs.MkdirAll("/x", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := afero.WriteFile(fs, "/x/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := set{"MATOMO_URL": "https://m.example.test/matomo.php", "EXCHANGE_DIR": "/x", "STOP_AFTER_VISITS": "1"}
	maps.Copy(all, env)
	return plan.Load(fs, all, func(*plan.Plan) (uint64, string) { return 42, "test" })
}

func good(t *testing.T, env, files set) *plan.Plan {
	t.Helper()
	p, problems := load(t, env, files)
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

// share fails unless count of n is within 4 standard errors of p; n is such that a fifth off would be seen.
func share(t *testing.T, what string, count, n int, p float64) {
	t.Helper()
	se := math.Sqrt(p * (1 - p) / float64(n))
	if 8*se > .2*p {
		t.Fatalf("%s: %d draws are too few to see a fifth", what, n)
	}
	if got := float64(count) / float64(n); math.Abs(got-p) > 4*se {
		t.Errorf("%s: share %.4f, want %.4f ± %.4f", what, got, p, 4*se)
	}
}

// eventsOf counts visits with a click event, and with a random one.
func eventsOf(p *plan.Plan, v *visit.Visit) (click, random int) {
	in := func(list []eventset.Event, e eventset.Event) bool {
		return slices.ContainsFunc(list, func(o eventset.Event) bool {
			return o.Category == e.Category && o.Name == e.Name
		})
	}
	for i, h := range v.Hits {
		if h.Kind != hit.Event {
			continue
		}
		if in(p.Events.Click, v.Event(i)) {
			click++
		}
		if in(p.Events.Random, v.Event(i)) {
			random++
		}
	}
	return click, random
}

// All shares differ, so that no setting can be confused with another.
func TestShareSettingsAreTheSharesOfVisits(t *testing.T) {
	t.Parallel()
	p := good(t, set{
		"BOUNCE_PROBABILITY": "0.2", "DIRECT_TRAFFIC_PROBABILITY": "0.4", "SITESEARCH_PROBABILITY": "0.35",
		"OUTLINKS_PROBABILITY":  "0.3",
		"DOWNLOADS_PROBABILITY": "0.25", "CLICK_EVENTS_PROBABILITY": "0.5", "RANDOM_EVENTS_PROBABILITY": "0.15",
		"ECOMMERCE_PROBABILITY": "0.1", "PAGEVIEWS_MIN": "2", "PAGEVIEWS_MAX": "5",
	}, nil)
	const n = 30_000
	var v visit.Visit
	var kinds [hit.Kinds]int
	bounces, direct, click, random, pages := 0, 0, 0, 0, map[int]int{}
	for i := range uint64(n) {
		p.Visits.Outline(i, &v)
		p.Visits.Fill(&v, 1)
		if v.Hits[0].Referrer.Plain == "" {
			direct++
		}
		if v.Bounce {
			bounces++
			continue
		}
		c, r := eventsOf(p, &v)
		click, random = click+c, random+r
		views := 0
		for _, h := range v.Hits {
			kinds[h.Kind]++
			if h.Kind == hit.Pageview {
				views++
			}
		}
		pages[views]++
	}
	able := n - bounces
	share(t, "bounces", bounces, n, .2)
	share(t, "direct", direct, n, .4)
	share(t, "searches", kinds[hit.Search], able, .35)
	share(t, "outlinks", kinds[hit.Outlink], able, .3)
	share(t, "downloads", kinds[hit.Download], able, .25)
	share(t, "click events", click, able, .5)
	share(t, "random events", random, able, .15)
	share(t, "orders", kinds[hit.Order], able, .1)
	for views := 2; views <= 5; views++ {
		share(t, "pages", pages[views], able, .25)
	}
}

func TestSettingsOverrideTheSharesOfTheEventFile(t *testing.T) {
	t.Parallel()
	const file = `{"click_events_probability":0.4,"random_events_probability":0.2,
		"click_events":[{"category":"a","action":"b","name":"c"}],"random_events":[{"category":"d","action":"e","name":"f"}]}`
	p := good(t, set{"RANDOM_EVENTS_PROBABILITY": "0.1"}, set{"events.json": file})
	const n = 20_000
	var v visit.Visit
	click, random := 0, 0
	for i := range uint64(n) {
		p.Visits.Outline(i, &v)
		c, r := eventsOf(p, &v)
		click, random = click+c, random+r
	}
	share(t, "of the file", click, n, .4)
	share(t, "of the knob", random, n, .1)
}

const buys = `[
	{"name":"buys","probability":0.5,"priority":2,"steps":[
		{"type":"pageview","url":"https://shop.example.test/start"},{"type":"ecommerce"}]},
	{"name":"reads","probability":0.2,"priority":1,"steps":[{"type":"pageview","url":"https://shop.example.test/news"}]}]`

func TestNotes(t *testing.T) {
	t.Parallel()
	p := good(t, set{
		"MATOMO_URL": "https://m.example.test/stats/", "BOUNCE_PROBABILITY": "0.5", "PAGEVIEWS_MIN": "3",
		"PAGEVIEWS_MAX": "3", "TARGET_VISITS_PER_DAY": "86400", "SITESEARCH_PROBABILITY": "0",
		"OUTLINKS_PROBABILITY": "0", "DOWNLOADS_PROBABILITY": "0", "CLICK_EVENTS_PROBABILITY": "0",
		"RANDOM_EVENTS_PROBABILITY": "0", "ECOMMERCE_PROBABILITY": "0",
	}, set{"funnels.json": buys,
		"urls.txt": "https://a.test/one\tOne\nhttps://a.test/find?q=x\nhttps://b.test/two#part\n"})
	notes := strings.Join(p.Notes, "\n")
	for _, want := range []string{
		"target matomo: site 1 at https://m.example.test/stats/matomo.php",
		// A visit has 3 hits by 40 %, 2 by 20 %, 1 by 20 % and 4 by 20 %, give or take.
		"rate: 1 visits/s, about 2.61 hits/s",
		`funnel "buys": 40.0 % of all visits (probability 0.5, priority 2)`,
		`funnel "reads": 20.0 % of all visits (probability 0.2, priority 1)`,
		"browsing: 40.0 % of all visits, bounces 20.0 %",
		"/x/urls.txt line 2: is recorded as a site search because of a search parameter",
		"/x/urls.txt line 3: is recorded without its fragment (#…)",
		"pages: 3 on 2 host(s), from /x/urls.txt",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is missing in\n%s", want, notes)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	t.Parallel()
	two := `{"targets":[{"name":"a","url":"https://m.test/matomo.php","site_id":1},{"name":"b","url":"https://m.test/","site_id":2}]}`
	for name, c := range map[string]struct {
		env, files set
		want       string
	}{
		"fewer requests than targets": {set{"MATOMO_URL": "", "CONCURRENCY": "1"}, set{"targets.json": two},
			`CONCURRENCY="1": is below the number of enabled targets, 2; set it to at least one per target`},
		"a campaign inside a funnel": {nil,
			set{"funnels.json": strings.Replace(buys, `{"type":"ecommerce"}`,
				`{"type":"pageview","url":"https://shop.example.test/?utm_source=x"}`, 1)},
			`/x/funnels.json: [0].steps[1].url="https://shop.example.test/?utm_source=x": has a campaign parameter, which would split the visit; move the campaign to the first step`},
		"an order that cannot be": {nil,
			set{"funnels.json": strings.Replace(buys, `"ecommerce"`,
				`"ecommerce","ecommerce_revenue":1,"ecommerce_shipping":5`, 1)},
			`/x/funnels.json: [0].steps[1]: revenue 1.00 leaves less than 0.01 for each of the items (1) after tax and shipping; change or remove one of its amounts`},
		"orders that the catalogue cannot meet": {set{"ECOMMERCE_ORDER_VALUE_MIN": "1",
			"ECOMMERCE_ORDER_VALUE_MAX": "2"}, nil,
			`ECOMMERCE_ORDER_VALUE_MIN, ECOMMERCE_ORDER_VALUE_MAX: no order of 1 to 5 lines can be worth 1.00 to 2.00 with the catalogue, tax and shipping; possible are 8.36 to 13357.51; widen the range`},
		"0 bytes of funnels": {nil, set{"funnels.json": ""},
			`/x/funnels.json: is empty; write JSON or remove the file`},
		"0 bytes of targets": {set{"MATOMO_URL": ""}, set{"targets.json": ""},
			`/x/targets.json: is empty; write JSON or remove the file`},
		"no target at all": {set{"MATOMO_URL": ""}, set{"targets.json": `{"targets":[]}`},
			`/x/targets.json: targets: has no enabled target; add or enable one`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems := load(t, c.env, c.files)
			if err := problems.Err(); p != nil || err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestPlanWarnings(t *testing.T) {
	t.Parallel()
	one := `{"targets":[{"name":"a","url":"https://m.test/matomo.php","site_id":1,"token_auth":"x"}]}`
	for name, c := range map[string]struct {
		env, files set
		want       string
	}{
		"places without a token": {nil, nil,
			`RANDOMIZE_VISITOR_COUNTRIES="true": has no token at target matomo: visits are recorded there with the generator's own address, and only the language indicates a country; set a token with write access`},
		"more requests than needed": {set{"CONCURRENCY": "500"}, nil,
			`CONCURRENCY="500": is more than the rate needs even if every request took the full timeout (15); lower it`},
		"fewer requests than needed": {set{"CONCURRENCY": "1", "TARGET_VISITS_PER_DAY": "864000"}, nil,
			`CONCURRENCY="1": is enough only if the target answers within 16 ms; raise it`},
		"far fewer requests than needed": {set{"CONCURRENCY": "1", "TARGET_VISITS_PER_DAY": "10000000000"}, nil,
			`CONCURRENCY="1": is enough only if the target answers within 0.0014 ms; raise it`},
		"a duration out of reach": {set{"PAGEVIEWS_MIN": "1", "VISIT_DURATION_MAX": "60"}, nil,
			`VISIT_DURATION_MAX="60": is too long for visits of few pages, because a gap of 30 minutes ends a visit; those of PAGEVIEWS_MIN pages are shortened to 29 minutes; raise PAGEVIEWS_MIN or lower it`},
		"a funnel that nobody can leave by the pages": {nil, set{
			"funnels.json": strings.Replace(buys, `"name":"reads",`, `"name":"reads","exit_after_completion":false,`,
				1), "urls.txt": "https://other.example.test/\n",
		},
			`/x/funnels.json: [1].exit_after_completion="false": lets visitors continue browsing, but the page list has none on shop.example.test, so that they repeat the funnel's own pages; add pages on that host, or set it to true`},
		"no event to send": {nil,
			set{"events.json": `{"click_events":[],"random_events":[{"category":"d","action":"e","name":"f"}]}`},
			`CLICK_EVENTS_PROBABILITY="0.25": has no events to send; add events to events.json or set it to 0`},
		"a tracker URL besides targets": {nil, set{"targets.json": one},
			`MATOMO_URL: is ignored; the targets come from /x/targets.json`},
		"a loud rate": {set{"TARGET_VISITS_PER_DAY": "500001"}, nil,
			`TARGET_VISITS_PER_DAY="500001": is a high load; make sure that you own this server`},
		"no TLS": {set{"TLS_VERIFY": "off"}, nil,
			`TLS_VERIFY="false": exposes the token to anyone between here and the server; use this for test servers only`},
		"a name without a memory": {set{"RUN_ID": "nightly"}, nil,
			`STATE_DIR: is not set, but RUN_ID or MAX_TOTAL_VISITS is: a restart starts over, with the same visitor and order IDs or a new cap; set STATE_DIR`},
		"no end": {set{"STOP_AFTER_VISITS": ""}, nil,
			`AUTO_STOP_AFTER_HOURS="0": is 0, and so is STOP_AFTER_VISITS: the run continues until you stop it; set one of them to end it automatically`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems := load(t, c.env, c.files)
			if p == nil || !strings.Contains(problems.Warnings().Error()+"\n", c.want+"\n") {
				t.Errorf("warnings\n%v\nlack\n%s", problems, c.want)
			}
		})
	}
}

func TestNotesOfPlannedVisits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  set
		want string
	}{
		{set{"LOAD_PROFILE": "10m:0→14400, 1h:14400, 5m:144000", "STOP_AFTER_VISITS": "0"},
			"planned: 1150 visits in 1h15m0s"},
		{set{"LOAD_PROFILE": "10m:0→14400, 1h:14400", "AUTO_STOP_AFTER_HOURS": "0.5", "STOP_AFTER_VISITS": "0"},
			"planned: 250 visits in 30m0s"},
		{set{"LOAD_PROFILE": "10m:14400, 1h:14400", "STOP_AFTER_VISITS": "200"}, "planned: 200 visits in 20m0s"},
		{set{"TARGET_VISITS_PER_DAY": "14400", "AUTO_STOP_AFTER_HOURS": "2", "STOP_AFTER_VISITS": "0"},
			"planned: 1200 visits in 2h0m0s"},
		{set{"TARGET_VISITS_PER_DAY": "14400", "STOP_AFTER_VISITS": "100"}, "planned: 100 visits in 10m0s"},
		{set{"LOAD_PROFILE": "week", "TARGET_VISITS_PER_DAY": "1000", "LOAD_CURVE": "1" + strings.Repeat(",1", 143) +
			strings.Repeat(",0", 24)},
			"planned: 7000 visits a week, from Monday to Sunday 1167, 1167, 1167, 1167, 1167, 1167, 0"},
		{set{"LOAD_PROFILE": "1h:0→864000"}, "rate: at most 10 visits/s"},
	} {
		if notes := strings.Join(good(t, c.env, nil).Notes, "\n"); !strings.Contains(notes, c.want) {
			t.Errorf("%v: %q is missing in\n%s", c.env, c.want, notes)
		}
	}
	if notes := strings.Join(good(t, set{"STOP_AFTER_VISITS": "0"}, nil).Notes, "\n"); strings.Contains(notes,
		"planned") {
		t.Errorf("without an end there is a number:\n%s", notes)
	}
}

func TestBulkDefaultConcurrency(t *testing.T) {
	t.Parallel()
	fast := set{"SEND_MODE": "bulk", "TARGET_VISITS_PER_DAY": "864000", "BULK_SIZE": "100"}
	for name, c := range map[string]struct {
		env  set
		want int
	}{
		"single hits": {nil, 50}, "bulk": {fast, spec.BulkConcurrency},
		"bulk, set":            {set{"SEND_MODE": "bulk", "CONCURRENCY": "50"}, 50},
		"bulk, empty is unset": {set{"SEND_MODE": "bulk", "CONCURRENCY": ""}, spec.BulkConcurrency},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems := load(t, c.env, nil)
			if p == nil || p.Sending.Concurrency != c.want {
				t.Fatalf("%+v: %v", p, problems)
			}
			if note := strings.Contains(strings.Join(p.Notes, "\n"),
				"8 requests in flight (the default"); note != (c.want == 8) {
				t.Errorf("notes: %q", p.Notes)
			}
			if text := problems.Warnings(); text != nil && strings.Contains(text.Error(), "is enough only if") {
				t.Errorf("hits are taken for requests: %s", text)
			}
		})
	}
}

func TestBulkSizeIsNotPartOfABackfillsHash(t *testing.T) {
	t.Parallel()
	hash := func(more set) string {
		p, problems := load(t, more, nil)
		if p == nil {
			t.Fatal(problems)
		}
		return p.Hash
	}
	past := func(size string) string {
		return hash(set{"BACKFILL_ENABLED": "true", "BACKFILL_DAYS_BACK": "3", "BACKFILL_DURATION_DAYS": "2",
			"BULK_SIZE": size})
	}
	if past("100") != past("20") {
		t.Error("a job cannot be resumed with requests of another size")
	}
	if hash(set{"SEND_MODE": "bulk", "BULK_SIZE": "100"}) == hash(set{"SEND_MODE": "bulk", "BULK_SIZE": "20"}) {
		t.Error("two runs with requests of another size count as the same")
	}
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	// Every visit has three pages and the ping that ends it.
	pages := set{"PAGEVIEWS_MIN": "3", "PAGEVIEWS_MAX": "3", "BOUNCE_PROBABILITY": "0", "SITESEARCH_PROBABILITY": "0",
		"OUTLINKS_PROBABILITY": "0", "DOWNLOADS_PROBABILITY": "0", "CLICK_EVENTS_PROBABILITY": "0",
		"RANDOM_EVENTS_PROBABILITY": "0", "ECOMMERCE_PROBABILITY": "0", "PAUSE_BETWEEN_PVS_MIN": "2",
		"PAUSE_BETWEEN_PVS_MAX": "2", "TARGET_VISITS_PER_DAY": "864000"}
	of := func(more set) estimate.Estimate {
		env := maps.Clone(pages)
		maps.Copy(env, more)
		return good(t, env, nil).Estimate(now)
	}
	e := of(set{"CONCURRENCY": "70", "STOP_AFTER_VISITS": "0"})
	if e.SampledVisits != 5000 || e.HitsPerVisit != 4 || e.ActionsPerVisit != 3 || e.VisitsPerSecond != 10 ||
		e.HitsPerSecond != 40 || e.HitsPerRequest != 1 || e.Concurrency != 70 || e.End != nil || e.Visits != 0 {
		t.Errorf("of single hits without an end: %+v", e)
	}
	if e.OpenSeconds < 4 || e.OpenSeconds > 6.1 || e.OpenVisits != 10*e.OpenSeconds {
		t.Errorf("want two pauses of 2 s and the ping: %+v", e)
	}
	e = of(set{"SEND_MODE": "bulk", "BULK_SIZE": "100", "BULK_MAX_DELAY": "2", "AUTO_STOP_AFTER_HOURS": "1",
		"STOP_AFTER_VISITS": "600"})
	if e.HitsPerRequest != 80 || e.Visits != 600 || e.End == nil || e.End.Seconds != 60 ||
		e.End.By != "STOP_AFTER_VISITS" {
		t.Errorf("in bulk, with an end: %+v", e)
	}
	// 1,000 visits last 100 s, then the day's cap holds back the rest until the third window.
	e = of(set{"MAX_TOTAL_VISITS": "1000", "STOP_AFTER_VISITS": "2500"})
	if e.PausesAfterSeconds != 100 || e.Visits != 2500 || e.End == nil || e.End.Seconds != 2*86400+50 {
		t.Errorf("with a cap: %+v", e)
	}
	e = of(set{"BACKFILL_ENABLED": "true", "BACKFILL_DAYS_BACK": "2", "BACKFILL_DURATION_DAYS": "1",
		"MATOMO_TOKEN_AUTH": strings.Repeat("a", 32), "BACKFILL_RPS_LIMIT": "4", "TARGET_VISITS_PER_DAY": "1000",
		"BULK_SIZE": "2000"})
	if want := float64(e.Visits) * 4 / 500 / 4; e.Visits == 0 || e.HitsPerRequest != 500 || e.End == nil ||
		e.End.Seconds != want || e.VisitsPerSecond != 0 {
		t.Errorf("of a backfill: %+v", e)
	}
}
