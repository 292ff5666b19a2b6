package matomo_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

const seen = `[{"visitorId":"0123456789abcdef","visitIp":"90.224.0.0","countryCode":"se"}]`

// probe sends one to a Matomo whose visitor log tells what is given, the last for ever.
func probe(t *testing.T, f *fake, token secret.String, limit time.Duration, log ...string) (matomo.Probe, error) {
	t.Helper()
	looks := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sub/index.php" {
			f.answers = map[string]string{"Live.getLastVisitsDetails": log[min(looks, len(log)-1)]}
			looks++
		}
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	to := target.Target{URL: srv.URL + "/sub/matomo.php", SiteID: 1, Token: token}
	return matomo.NewClient(time.Minute, target.Machine{}).Probe(ctx, to, matomo.Expect{Pages: []string{"https://pages.example.test/en/?page=2#top"}})
}

func TestAProbeVisitIsMarkedAndFollowedUntilItIsSeen(t *testing.T) {
	t.Parallel()
	f := &fake{}
	p, err := probe(t, f, good, time.Minute, `[]`, seen)
	if err != nil || p.Stored.IP != "90.224.0.0" || p.Stored.Country != "se" || p.Lag <= 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	hit := f.requests[0]
	for _, want := range []string{"action_name=Trafficinator+probe+visit", "url=https%3A%2F%2Fpages.example.test%2Fen%2Ftrafficinator-probe&", "cid=" + p.Visitor, "token_auth=" + string(good)} {
		if !strings.Contains(hit+"&", want) {
			t.Errorf("%s lacks %s", hit, want)
		}
	}
	if look := f.requests[len(f.requests)-1]; len(f.requests) != 3 || strings.Contains(hit, "ping=") || !strings.Contains(look, "visitorId%3D%3D"+p.Visitor) {
		t.Errorf("%d requests, the last %s", len(f.requests), look)
	}
	if text := p.String(); !strings.Contains(text, "visible after") || !strings.Contains(text, p.Visitor) {
		t.Error(text)
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
		"never":                {&fake{}, good, `[]`, "queue", true, 1},
		"a log that is closed": {&fake{}, good, refused, "view access", false, 1},
		"a hit that is lost":   {&fake{}, "wrong", seen, "answered 400", false, 1},
		"no token":             {&fake{}, "", seen, "give one", false, 0},
	} {
		_, err := probe(t, c.fake, c.token, 2*time.Second, c.log)
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, matomo.ErrUnseen) != c.unseen {
			t.Errorf("%s: %v", name, err)
		}
		sent := 0
		for _, r := range c.fake.requests {
			if strings.Contains(r, "matomo.php") {
				sent++
			}
		}
		if sent != c.sent {
			t.Errorf("%s: %d hits sent", name, sent)
		}
	}
}
