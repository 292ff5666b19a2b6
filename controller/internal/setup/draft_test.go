package setup_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/testbed"
)

func TestADraftHoldsNoTokenAndNeedsNoTarget(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	empty, _, err := b.Draft(t.Context(), nil, nil)
	if err != nil || empty.Settings["MATOMO_URL"] == "" || empty.Settings["MATOMO_TOKEN_AUTH"] != "" {
		t.Errorf("without a target: %v, %v", empty.Settings, err)
	}
	if _, err := b.SaveConfig(t.Context(), map[string]any{"MATOMO_TOKEN_AUTH": token, "PAGEVIEWS_MIN": 2.},
		0); err != nil {
		t.Fatal(err)
	}
	if _, err := b.CreateTarget(t.Context(),
		[]byte(`{"name":"a","url":"https://a.test/matomo.php","site_id":1,"token_auth":"`+token+`"}`)); err != nil {
		t.Fatal(err)
	}
	single, _, err := b.Draft(t.Context(), map[string]any{"PAGEVIEWS_MAX": 9., "MATOMO_TOKEN_AUTH": "***MASKED***"},
		nil)
	if err != nil || single.Settings["PAGEVIEWS_MIN"] != "2" || single.Settings["PAGEVIEWS_MAX"] != "9" {
		t.Errorf("what is given goes over what is saved: %v, %v", single.Settings, err)
	}
	if got := single.Settings["MATOMO_TOKEN_AUTH"]; got == "" || got == token {
		t.Errorf("a stand-in should take the token's place, got %q", got)
	}
	if err := b.SaveRouting(t.Context(),
		stored.Routing{Mode: stored.Multi, Strategy: target.RoundRobin}); err != nil {
		t.Fatal(err)
	}
	many, _, err := b.Draft(t.Context(), nil, nil)
	if err != nil || len(many.Targets.Targets) != 1 {
		t.Fatalf("%+v, %v", many.Targets, err)
	}
	if got := many.Targets.Targets[0].Token.Reveal(); got == "" || got == token {
		t.Errorf("a stand-in should take the target's token's place, got %q", got)
	}
}

// What is outlined is not sent, so that it needs no password and no certificate, not even those that are gone.
func TestADraftKnowsNothingOfHowTargetsAreReached(t *testing.T) {
	l, dir := newLibrary(t), t.TempDir()
	cert, key := testbed.Certificate(t, dir, "client")
	_, err := l.SaveConfig(t.Context(), map[string]any{
		"MATOMO_URL": "https://user:hush@matomo.test/", "MATOMO_API_URL": "https://api.test/",
		"MATOMO_HEADERS": "X-Gate: hush", "TLS_CA_FILE": cert, "TLS_CERT_FILE": cert,
		"TLS_KEY_FILE": key, "TLS_VERIFY": false, "PROXY_URL": "http://p:hush@proxy.test",
	}, 0)
	must(t, err)
	_, err = l.CreateTarget(t.Context(), []byte(strings.Replace(reached, "{", `{"tls_ca_file":"`+cert+`",`, 1)))
	must(t, err)
	must(t, os.Remove(cert))
	for _, mode := range []stored.Mode{stored.Single, stored.Multi} {
		must(t, l.SaveRouting(t.Context(), stored.Routing{Mode: mode, Strategy: target.RoundRobin}))
		s, _, err := l.Draft(t.Context(), nil, nil)
		must(t, err)
		for _, key := range []string{"MATOMO_API_URL", "MATOMO_HTTP_AUTH", "MATOMO_HEADERS", "TLS_CA_FILE",
			"TLS_CERT_FILE", "TLS_KEY_FILE", "PROXY_URL"} {
			if s.Settings[key] != "" {
				t.Errorf("%s: %s=%q", mode, key, s.Settings[key])
			}
		}
		if s.Targets != nil && s.Targets.Targets[0].Access != (target.Access{}) {
			t.Errorf("%+v", s.Targets.Targets)
		}
	}
}

func TestADraftOfAFunnelIsFollowedByEveryVisit(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	saved := `{"name":"saved","probability":1,"steps":[{"type":"pageview","url":"https://shop.test/"}]}`
	if _, err := b.CreateFunnel(t.Context(), []byte(saved)); err != nil {
		t.Fatal(err)
	}
	s, _, err := b.Draft(t.Context(), nil,
		[]byte(`{"enabled":false,"probability":0.01,"steps":[{"type":"pageview","url":"https://shop.test/new"}]}`))
	if err != nil || len(s.Funnels) != 1 {
		t.Fatalf("%+v, %v", s.Funnels, err)
	}
	if f := s.Funnels[0]; !f.Enabled || f.Probability != 1 || f.Steps[0].URL != "https://shop.test/new" ||
		f.Name == "" {
		t.Errorf("%+v", f)
	}
}

func TestADraftTellsTheFaultsOfItsSettingsAndItsFunnelAtOnce(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	_, _, err := b.Draft(t.Context(), map[string]any{"CONCURRENCY": 0.},
		[]byte(`{"steps":[{"type":"pageview","url":"nowhere"}]}`))
	var problems problem.List
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	if text := fmt.Sprint(problems); !strings.Contains(text, `CONCURRENCY="0"`) ||
		!strings.Contains(text, "funnel.steps[0].url") {
		t.Errorf("%s", text)
	}
}
