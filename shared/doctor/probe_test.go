package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// probe sends one to a Matomo with these answers of the visitor log, the last one repeatedly; %s is the visitor and %d when
// the first hit was.
func probe(t *testing.T, f *fake, token secret.String, limit time.Duration, log ...string) (doctor.Probe, error) {
	t.Helper()
	looks := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sub/index.php" {
			text := log[min(looks, len(log)-1)]
			if first := hitsOf(f); len(first) > 0 && strings.Contains(text, "%s") {
				at, _ := time.Parse(time.DateTime, first[0].Get("cdt"))
				text = fmt.Sprintf(text, first[0].Get("cid"), at.Unix())
			}
			f.answers = map[string]string{"Live.getLastVisitsDetails": text, "SitesManager.getSiteFromId": f.site}
			if len(hitsOf(f)) > 0 {
				looks++
			}
		}
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	to := target.Target{URL: srv.URL + "/sub/matomo.php", SiteID: 1, Token: token}
	return doctor.New(time.Minute, target.Environment{}).Probe(ctx, to,
		doctor.Expectation{
			Pages: []string{"https://pages.example.test/en/?page=2#top"},
			Sends: [hit.Kinds]bool{hit.Event: true},
			Pause: 3 * time.Minute,
		})
}

// hitsOf are the hits of a visit that were sent, those that ask for the clock apart.
func hitsOf(f *fake) (out []url.Values) {
	for _, r := range f.requests {
		if !strings.Contains(r, "matomo.php") {
			continue
		}
		if hit, _ := url.ParseQuery(r[strings.LastIndex(r, " ")+1:]); hit.Has("cdt") {
			out = append(out, hit)
		}
	}
	return out
}

// seen is a visit of which Matomo made nothing but its first page.
const seen = `[{"visitorId":"%s","visitIp":"90.224.0.0","countryCode":"se","firstActionTimestamp":%d,"actionDetails":[]}]`

func TestAProbeVisitIsMarkedAndFollowedUntilItIsSeen(t *testing.T) {
	t.Parallel()
	f := &fake{}
	p, err := probe(t, f, good, time.Minute, `[]`, seen)
	if err != nil || p.Stored.IP != "90.224.0.0" || p.Stored.Country != "se" || p.Lag <= 0 || p.Visitor == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	hits := hitsOf(f)
	if len(hits) != 4 || p.Hits != 4 {
		t.Fatalf("%d hits were sent and %d reported, want a page, an event, a page and a ping", len(hits), p.Hits)
	}
	var at []time.Time
	for _, h := range hits {
		if h.Get("cid") != p.Visitor || h.Get("token_auth") != string(good) ||
			!strings.HasPrefix(h.Get("url"), "https://pages.example.test/en/trafficinator-probe") {
			t.Errorf("%v", h)
		}
		moment, err := time.Parse(time.DateTime, h.Get("cdt"))
		if err != nil || moment.After(time.Now()) {
			t.Errorf("a hit is of %s, %v", moment, err)
		}
		at = append(at, moment)
	}
	if pause := at[2].Sub(at[1]); pause != 3*time.Minute {
		t.Errorf("the pause is %s, not that of the run", pause)
	}
	if title := hits[0].Get("action_name"); !strings.HasPrefix(title, doctor.ProbeTitle) || len(title) != 1024 {
		t.Errorf("the title has %d bytes: %s", len(title), title)
	}
	if got := hits[2].Get("url"); !strings.HasSuffix(got, "?page=1") {
		t.Errorf("%s has not the parameters of the run's pages", got)
	}
	if p.Works() || len(p.Findings) == 0 ||
		p.Findings[0].Message != "accepted, but not recorded: pageview, event, pageview" {
		t.Errorf("lost hits are not reported: %+v", p.Findings)
	}
	if text := p.String(); !strings.Contains(text, "visible after") || !strings.Contains(text, p.Visitor) {
		t.Error(text)
	}
}

// The site is in a zone whose day began two minutes ago.
func TestAProbeVisitLiesInOneDayOfTheSite(t *testing.T) {
	t.Parallel()
	passed := time.Now().UTC().Add(-2 * time.Minute)
	ahead := -passed.Sub(passed.Truncate(24 * time.Hour)).Hours()
	if ahead < -12 {
		ahead += 24
	}
	name := fmt.Sprintf("UTC%+.4f", ahead)
	f := &fake{site: strings.Replace(shop, "Europe/Berlin", name, 1)}
	if _, err := probe(t, f, good, 10*time.Second, seen); err != nil {
		t.Fatal(err)
	}
	days := map[string]bool{}
	for _, h := range hitsOf(f) {
		at, err := time.Parse(time.DateTime, h.Get("cdt"))
		if err != nil {
			t.Fatal(err)
		}
		days[at.In(zone(name).Location()).Format(time.DateOnly)] = true
	}
	if len(days) != 1 {
		t.Errorf("in %s the visit lies on %v", name, days)
	}
}

func TestAProbeVisitThatIsNotSeenHasItsReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fake   *fake
		token  secret.String
		log    string
		want   string
		unseen bool
		sent   int
	}{
		"never":                {&fake{}, good, `[]`, "queue", true, 4},
		"a log that is closed": {&fake{}, good, refused, "view access", false, 4},
		"hits that are lost":   {&fake{}, "wrong", seen, "answered 400", false, 4},
		"no token":             {&fake{}, "", seen, "needs a token", false, 0},
	} {
		_, err := probe(t, c.fake, c.token, 2*time.Second, c.log)
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, doctor.ErrNotVisible) != c.unseen {
			t.Errorf("%s: %v", name, err)
		}
		if sent := len(hitsOf(c.fake)); sent != c.sent {
			t.Errorf("%s: %d hits sent", name, sent)
		}
	}
}
