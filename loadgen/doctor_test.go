package main

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/calendar"
	reporting "github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestTheDoctorIsContentWithTheSink(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	cet, err := calendar.ParseZone("CET")
	if err != nil {
		t.Fatal(err)
	}
	d := reporting.NewClient(patience, target.Machine{}).Examine(t.Context(), target.Target{Name: "sink", URL: m.url, SiteID: 1, Token: token}, reporting.Expect{Zone: &cet, Currency: "SEK", Searches: true, Orders: true, Bulk: true, Dimension: 4})
	for _, f := range d.Findings {
		if f.Verdict == reporting.Bad || f.Verdict == reporting.Doubtful {
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
		"all is well": {"none", "", nil, exitOK, []string{"  ok           token: may write to site 1", "dimension: RUN_DIMENSION=4 is active"}},
		"a network of visitors is excluded": {"SitesManager.getExcludedIpsGlobal", `{"value":"73.0.0.0/8"}`, nil, exitNoTarget,
			[]string{"  wrong        addresses: visits from 73.0.0.0/8", "-> take it out"}},
		"one of nobody's": {"SitesManager.getExcludedIpsGlobal", `{"value":"10.0.0.0/8"}`, nil, exitOK, []string{"addresses: 1 are excluded, none of them is sent"}},
		"a browser is excluded": {"SitesManager.getExcludedUserAgentsGlobal", `{"value":"Windows NT"}`, nil, exitNoTarget,
			[]string{"  wrong        agents: "}},
		"another zone": {"none", "", map[string]string{"TIMEZONE": "Asia/Tokyo"}, exitOK, []string{"  doubtful     timezone: ", "Asia/Tokyo"}},
		"settings that may not be read": {"CorePluginsAdmin.getSystemSettings", `{"result":"error","message":"no"}`, nil, exitOK,
			[]string{"  cannot tell  queue: ", "needs superuser access"}},
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

func TestAProbeIsOneVisitThatIsSeen(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, nil), "check", "--probe")
	l.ends(t, exitOK)
	if !l.stdout.has("target matomo: the probe visit is visible after ") || !l.stdout.has("country se") {
		t.Error(l.stdout.String())
	}
	if counts := m.Counts(); counts.Total.Visits != 1 || counts.Total.Actions != 1 || counts.Violations != 0 {
		t.Errorf("%+v", counts)
	}
}

func TestAProbeThatCannotBeSeenIsAFailure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ token, want string }{
		"no token":        {"", "a probe visit is not sent without a token"},
		"a token refused": {"ffffffffffffffffffffffffffffffff", "is not accepted: answered 400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, nil)
			l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"MATOMO_TOKEN_AUTH": c.token}), "check", "--probe")
			l.ends(t, exitNoTarget)
			if !l.stdout.has(c.want) || m.Counts().Total.Visits != 0 {
				t.Error(l.stdout.String())
			}
		})
	}
}
