package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestDoctorAcceptsTheSink(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	cet, err := calendar.ParseZone("CET")
	if err != nil {
		t.Fatal(err)
	}
	d := doctor.New(patience, target.Environment{}).Diagnose(t.Context(),
		target.Target{Name: "sink", URL: m.url, SiteID: 1, Token: token},
		doctor.Expectation{
			Zone: &cet, Currency: "SEK", Sends: [hit.Kinds]bool{hit.Search: true, hit.Order: true}, Bulk: true,
			Dimension: 4,
		})
	for _, f := range d.Findings {
		if f.Verdict == doctor.Error || f.Verdict == doctor.Warning {
			t.Errorf("%s: %s", f.Check, f.Message)
		}
	}
	if !d.Works || d.Version == "" || d.Site == nil || d.Site.Timezone != "CET" {
		t.Errorf("%+v", d)
	}
}

// answering is a Matomo that answers one method of the Reporting API in its own way.
func answering(method, body string) instead {
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		asked, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(asked)) // for the sink
		form, _ := url.ParseQuery(string(asked))      // a bulk request is none
		if err != nil || !strings.HasSuffix(r.URL.Path, "index.php") || form.Get("method") != method {
			return false
		}
		_, _ = w.Write([]byte(body))
		return true
	}
}

func TestCheckConnectComparesTheSiteWithThePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, body string
		env          map[string]string
		code         int
		want         []string
	}{
		"all is well": {"none", "", nil, exitcode.OK,
			[]string{"  ok           token: has write access to site 1", "dimension: RUN_DIMENSION=4 is active"}},
		"a network of visitors is excluded": {"SitesManager.getExcludedIpsGlobal", `{"value":"73.0.0.0/8"}`, nil,
			exitcode.NoTarget,
			[]string{"  error        addresses: visits from 73.0.0.0/8", "-> remove it"}},
		"a reserved address": {"SitesManager.getExcludedIpsGlobal", `{"value":"10.0.0.0/8"}`, nil, exitcode.OK,
			[]string{"addresses: 1 exclusions, none matches"}},
		"a browser is excluded": {"SitesManager.getExcludedUserAgentsGlobal", `{"value":"Windows NT"}`, nil,
			exitcode.NoTarget,
			[]string{"  error        agents: "}},
		"another zone": {"none", "", map[string]string{"TIMEZONE": "Asia/Tokyo"}, exitcode.OK,
			[]string{"  warning      timezone: ", "Asia/Tokyo"}},
		"settings that may not be read": {"CorePluginsAdmin.getSystemSettings", `{"result":"error","message":"no"}`,
			nil, exitcode.OK,
			[]string{"  not checked  queue: ", "needs superuser access"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, answering(c.method, c.body))
			env := settings(m, map[string]string{"RUN_DIMENSION": "4"})
			for k, v := range c.env {
				env[k] = v
			}
			l := start(t, afero.NewMemMapFs(), env, "check", "--connect")
			l.ends(t, c.code)
			for _, want := range c.want {
				if !l.stdout.has(want) {
					t.Errorf("stdout lacks %q:\n%s", want, l.stdout.String())
				}
			}
			if counts := m.Counts(); counts.Total.Visits != 0 {
				t.Errorf("%d visits were left there", counts.Total.Visits)
			}
		})
	}
}

func TestProbeSendsOneVisitAndFindsIt(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, nil), "check", "--probe")
	l.ends(t, exitcode.OK)
	if !l.stdout.has("target matomo: the probe visit of 8 hits is visible after ") || !l.stdout.has("country se") ||
		!l.stdout.has("all 8 hits are recorded") {
		t.Error(l.stdout.String())
	}
	if counts := m.Counts(); counts.Total.Visits != 1 || counts.Total.Actions != 6 || counts.Total.Hits["order"] != 1 ||
		counts.Violations != 0 {
		t.Errorf("%+v", counts)
	}
}

// changed is a Matomo of other settings than the usual ones.
func changed(t *testing.T, settings ...string) *sink.Tracker {
	t.Helper()
	tracker := sink.NewTracker()
	for _, s := range settings {
		if err := tracker.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	return tracker
}

// Each of these was measured on a Matomo 5.2 (docs/matomo-settings.md).
func TestProbeReportsEachDifference(t *testing.T) {
	t.Parallel()
	const pages, campaign = "https://shop.example.test/list?page=2&colour=red\n",
		"https://shop.example.test/sale?mtm_campaign=spring\n"
	for setting, c := range map[string]struct {
		code int
		want string
	}{
		"visit_standard_length=60": {exitcode.OK,
			"the visit became 2 visits: a new one began before the pageview, after a pause of 8m0s"},
		"page_maximum_length=200":            {exitcode.OK, "titles are cut at 200 bytes"},
		"create_new_visit_after_x_actions=3": {exitcode.OK, "the visit became 2 visits"},
		"url_query_parameter_to_exclude_from_url=page,colour": {exitcode.OK,
			"the parameters colour, page are removed from page URLs"},
		"site.excluded_parameters=colour": {exitcode.OK,
			"the parameters colour are removed from page URLs"},
		"campaign_var_name=other": {exitcode.OK,
			`referrerType of the visit is recorded as "search", not "campaign"`},
		"site.sitesearch=0":                       {exitcode.NoTarget, "the search is recorded as a page"},
		"site.sitesearch_keyword_parameters=page": {exitcode.NoTarget, "the pageview is recorded as search"},
		"exclude_requests=e_c==Trafficinator":     {exitcode.NoTarget, "accepted, but not recorded: event"},
		"exclude_requests=action_name=@probe": {exitcode.NoTarget,
			"accepted, but not recorded: pageview, search, pageview"},
		"privacy.anonymizeOrderId=1": {exitcode.OK, "orderId of the order is recorded as"},
		"record_statistics=0":        {exitcode.NoTarget, "was not accepted: answered 503"},
		"plugin.Events=0":            {exitcode.NoTarget, "the event was rejected"},
		"plugin.Ecommerce=0":         {exitcode.NoTarget, "the order is recorded as a page"},
		"plugin.Heartbeat=0":         {exitcode.NoTarget, "the ping is recorded as a page"},
		"plugin.PagePerformance=0": {exitcode.OK,
			"pageLoadTimeMilliseconds of the pageview is recorded as"},
		"plugin.DevicesDetection=0": {exitcode.OK, "browserCode of the visit is recorded as"},
		"plugin.UserCountry=0":      {exitcode.OK, "countryCode of the visit is recorded as"},
		"plugin.UserLanguage=0":     {exitcode.OK, "languageCode of the visit is recorded as"},
		"plugin.Actions=0": {exitcode.NoTarget,
			"accepted, but not recorded: pageview, search, event, outlink, download, pageview"},
		"site.excluded_referrers=www.google.com": {exitcode.OK,
			`referrerType of the visit is recorded as "direct", not "search"`},
		"plugin.Resolution=0":                              {exitcode.OK, "resolution of the visit is recorded as"},
		"plugin.CustomDimensions=0":                        {exitcode.OK, "the dimension4 of the visit is recorded as"},
		"create_new_visit_when_website_referrer_changes=1": {exitcode.OK, "all 8 hits are recorded as sent"},
		"create_new_visit_after_midnight=0":                {exitcode.OK, "all 8 hits are recorded as sent"},
		"tracking_requests_require_authentication=0":       {exitcode.OK, "all 8 hits are recorded as sent"},
		"bulk_requests_require_authentication=1":           {exitcode.OK, "all 8 hits are recorded as sent"},
		"create_new_visit_when_campaign_changes=0":         {exitcode.OK, "all 8 hits are recorded as sent"},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(setting, " ")
			m := newMatomo(t, sink.Config{Tracker: changed(t, name)}, nil)
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/urls.txt", pages)
			if name == "campaign_var_name=other" {
				write(t, fsys, "/urls.txt", pages+campaign)
			}
			l := start(t, fsys, settings(m, map[string]string{"URLS_FILE": "/urls.txt", "RUN_DIMENSION": "4"}),
				"check", "--probe")
			l.ends(t, c.code)
			if !l.stdout.has(c.want) {
				t.Errorf("stdout lacks %q:\n%s", c.want, l.stdout.String())
			}
		})
	}
}

// midday is a zone where it is about noon: just after midnight a probe's visit lies in the day before.
func midday() *time.Location {
	hours := 12 - time.Now().UTC().Hour()
	return time.FixedZone(fmt.Sprintf("UTC%+d", hours), hours*3600)
}

func TestProbeWithoutTokenReportsWhatNeedsOne(t *testing.T) {
	t.Parallel()
	const viewer = "fedcba9876543210fedcba9876543210"
	for setting, c := range map[string]struct{ mode, want string }{
		"tracking_requests_require_authentication_when_custom_timestamp_newer_than=60": {"single",
			"the pageview was rejected (400), other hits of the visit were not"},
		"bulk_requests_require_authentication=1": {"bulk",
			"a bulk request with one hit of each kind was not accepted"},
	} {
		m := newMatomo(t, sink.Config{Tracker: changed(t, setting), Viewers: map[string][]int{viewer: {1}},
			Sites: map[int]sink.Site{1: {Zone: midday()}}}, nil)
		l := start(t, afero.NewMemMapFs(),
			settings(m, map[string]string{"MATOMO_TOKEN_AUTH": "", "MATOMO_READ_TOKEN": viewer, "SEND_MODE": c.mode}),
			"check", "--probe")
		l.ends(t, exitcode.NoTarget)
		if !l.stdout.has(c.want) {
			t.Errorf("%s: stdout lacks %q:\n%s", setting, c.want, l.stdout.String())
		}
	}
}

func TestConnectAndProbeFindExclusions(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"site.excluded_ips=73.0.0.0/8":      "error        addresses: visits from 73.0.0.0/8 are not recorded",
		"site.excluded_user_agents=Firefox": "error        agents: visits of browsers with Firefox are not recorded",
		"site.exclude_unknown_urls=1":       "error        urls: 1 of 1 pages",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{Tracker: changed(t, setting)}, nil)
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/urls.txt", "https://elsewhere.example.test/\n")
			l := start(t, fsys, settings(m, map[string]string{"URLS_FILE": "/urls.txt"}), "check", "--connect")
			l.ends(t, exitcode.NoTarget)
			if !l.stdout.has(want) {
				t.Errorf("stdout lacks %q:\n%s", want, l.stdout.String())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			to := target.Target{Name: "sink", URL: m.url, SiteID: 1, Token: token}
			_, err := doctor.New(patience, target.Environment{}).Probe(ctx, to, doctor.Expectation{
				Pages:    []string{"https://elsewhere.example.test/"},
				Networks: []netip.Prefix{netip.MustParsePrefix("73.1.0.0/16")},
			})
			if !errors.Is(err, doctor.ErrNotVisible) || !strings.Contains(err.Error(), "exclude") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestProbeOfABulkRunFindsFailingRequests(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string][]string{
		"plugin.Events=0": {"a bulk request with one hit of each kind was not accepted (0 of 8 hits)",
			"the event was rejected", "CLICK_EVENTS_PROBABILITY"},
	} {
		m := newMatomo(t, sink.Config{Tracker: changed(t, setting)}, nil)
		l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"SEND_MODE": "bulk"}), "check", "--probe")
		l.ends(t, exitcode.NoTarget)
		for _, text := range want {
			if !l.stdout.has(text) {
				t.Errorf("%s: stdout lacks %q:\n%s", setting, text, l.stdout.String())
			}
		}
	}
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"SEND_MODE": "bulk"}), "check", "--probe")
	l.ends(t, exitcode.OK)
	if n := m.Counts(); n.Total.Visits != 1 || n.Requests > 3 {
		t.Errorf("%d visits in %d requests", n.Total.Visits, n.Requests)
	}
}

func TestCheckConnectReportsMissingPlugins(t *testing.T) {
	t.Parallel()
	for setting, c := range map[string]struct {
		env  map[string]string
		code int
		want string
	}{
		"plugin.Events=0": {nil, exitcode.NoTarget,
			"  error        plugins: Events is not active: every event is rejected"},
		"plugin.Ecommerce=0": {nil, exitcode.NoTarget,
			"  error        plugins: Ecommerce is not active: orders are recorded as pages"},
		"plugin.Heartbeat=0":  {nil, exitcode.NoTarget, "  error        plugins: Heartbeat is not active"},
		"plugin.Resolution=0": {nil, exitcode.OK, "  warning      plugins: Resolution is not active"},
		"plugin.Events=0 not sent": {map[string]string{"CLICK_EVENTS_PROBABILITY": "0",
			"RANDOM_EVENTS_PROBABILITY": "0"}, exitcode.OK, "  ok           plugins: "},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(setting, " ")
			m := newMatomo(t, sink.Config{Tracker: changed(t, name)}, nil)
			l := start(t, afero.NewMemMapFs(), settings(m, c.env), "check", "--connect")
			l.ends(t, c.code)
			if !l.stdout.has(c.want) {
				t.Errorf("stdout lacks %q:\n%s", c.want, l.stdout.String())
			}
		})
	}
}

// closedAPI lets hits pass and nothing else.
func closedAPI(_ int, w http.ResponseWriter, r *http.Request) bool {
	closed := strings.HasSuffix(r.URL.Path, "index.php")
	if closed {
		http.Error(w, "Forbidden", http.StatusForbidden)
	}
	return closed
}

func TestCheckListsWhatWasNotChecked(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		meddle instead
		args   []string
	}{
		"not checked: target matomo: all of Matomo's settings (none could be read)": {closedAPI,
			[]string{"check", "--connect"}},
		"parameters, queue, spam": {answering("CorePluginsAdmin.getSystemSettings",
			`{"result":"error","message":"no"}`), []string{"check", "--connect"}},
		"not checked: Matomo's settings (--connect, --probe)": {nil, []string{"check"}},
	} {
		m := newMatomo(t, sink.Config{}, c.meddle)
		l := start(t, afero.NewMemMapFs(), settings(m, nil), c.args...)
		l.ends(t, exitcode.OK)
		if !l.stdout.has(want) {
			t.Errorf("stdout lacks %q:\n%s", want, l.stdout.String())
		}
	}
}

func TestInvisibleProbeFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token, want string
		meddle      instead
	}{
		"no token": {"", "a probe visit needs a token", nil},
		"a closed API": {token,
			"the site cannot be read: ask SitesManager.getSiteFromId: something in front of Matomo answered 403",
			closedAPI},
		"a token refused": {"ffffffffffffffffffffffffffffffff",
			"no probe visit sent: the site cannot be read: ask SitesManager.getSiteFromId: answered " +
				"401: the token is rejected", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, c.meddle)
			l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"MATOMO_TOKEN_AUTH": c.token}),
				"check", "--probe")
			l.ends(t, exitcode.NoTarget)
			if !l.stdout.has(c.want) || m.Counts().Total.Visits != 0 {
				t.Error(l.stdout.String())
			}
		})
	}
}
