package library_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/library"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestADraftHoldsNoTokenAndNeedsNoTarget(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	empty, _, err := b.Draft(t.Context(), nil, nil)
	if err != nil || empty.Knobs["MATOMO_URL"] == "" || empty.Knobs["MATOMO_TOKEN_AUTH"] != "" {
		t.Errorf("without a target: %v, %v", empty.Knobs, err)
	}
	if _, err := b.SaveConfig(t.Context(), map[string]any{"MATOMO_TOKEN_AUTH": token, "PAGEVIEWS_MIN": 2.}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := b.CreateTarget(t.Context(), []byte(`{"name":"a","url":"https://a.test/matomo.php","site_id":1,"token_auth":"`+token+`"}`)); err != nil {
		t.Fatal(err)
	}
	single, _, err := b.Draft(t.Context(), map[string]any{"PAGEVIEWS_MAX": 9., "MATOMO_TOKEN_AUTH": "***MASKED***"}, nil)
	if err != nil || single.Knobs["PAGEVIEWS_MIN"] != "2" || single.Knobs["PAGEVIEWS_MAX"] != "9" {
		t.Errorf("what is given goes over what is saved: %v, %v", single.Knobs, err)
	}
	if got := single.Knobs["MATOMO_TOKEN_AUTH"]; got == "" || got == token {
		t.Errorf("a stand-in should take the token's place, got %q", got)
	}
	if err := b.SaveRouting(t.Context(), library.Routing{Mode: library.Multi, Strategy: target.RoundRobin}); err != nil {
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

func TestADraftOfAFunnelIsFollowedByEveryVisit(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	saved := `{"name":"saved","probability":1,"steps":[{"type":"pageview","url":"https://shop.test/"}]}`
	if _, err := b.CreateFunnel(t.Context(), []byte(saved)); err != nil {
		t.Fatal(err)
	}
	s, _, err := b.Draft(t.Context(), nil, []byte(`{"enabled":false,"probability":0.01,"steps":[{"type":"pageview","url":"https://shop.test/new"}]}`))
	if err != nil || len(s.Funnels) != 1 {
		t.Fatalf("%+v, %v", s.Funnels, err)
	}
	if f := s.Funnels[0]; !f.Enabled || f.Probability != 1 || f.Steps[0].URL != "https://shop.test/new" || f.Name == "" {
		t.Errorf("%+v", f)
	}
}

func TestADraftTellsTheFaultsOfItsSettingsAndItsFunnelAtOnce(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	_, _, err := b.Draft(t.Context(), map[string]any{"CONCURRENCY": 0.}, []byte(`{"steps":[{"type":"pageview","url":"nowhere"}]}`))
	var problems problem.List
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	if text := fmt.Sprint(problems); !strings.Contains(text, `CONCURRENCY="0"`) || !strings.Contains(text, "funnel.steps[0].url") {
		t.Errorf("%s", text)
	}
}
