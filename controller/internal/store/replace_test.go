package store_test

import (
	"errors"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestSetupIsReplacedEntirelyOrNotAtAll(t *testing.T) {
	s := open(t, temp(t))
	ctx := t.Context()
	must(t, fill(ctx, s))
	twice := stored.Setup{
		Funnels: []stored.Funnel{{Funnel: funnel.Funnel{Name: "x"}}, {Funnel: funnel.Funnel{Name: "X"}}},
	}
	if err := s.ReplaceAll(ctx, twice); !errors.Is(err, store.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
	check(t, s)
	must(t, s.ReplaceAll(ctx, stored.Setup{Presets: []stored.Preset{{Name: "one"}},
		Routing: stored.Routing{Strategy: target.RoundRobin}}))
	presets, err := s.Presets(ctx)
	if err != nil || len(presets) != 1 || presets[0].Name != "one" {
		t.Errorf("%+v, %v", presets, err)
	}
	if targets, err := s.Targets(ctx); err != nil || len(targets) != 0 {
		t.Errorf("%+v, %v", targets, err)
	}
}
