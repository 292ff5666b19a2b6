package run

import (
	"log/slog"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
)

func TestCapacitySearchHasNoDefaultThreshold(t *testing.T) {
	t.Parallel()
	prepare := func(setting string) Prepared {
		p, problems := plan.Load(afero.NewMemMapFs(),
			map[string]string{"MATOMO_URL": "https://m.example.test/matomo.php", setting: "true"},
			func(*plan.Plan) (uint64, string) { return 7, "" })
		if p == nil {
			t.Fatal(problems)
		}
		folder, err := state.Open(afero.NewMemMapFs(), "")
		if err != nil {
			t.Fatal(err)
		}
		place, err := folder.Acquire("search")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		s := &searchMode{
			liveMode: liveMode{deps: &deps{plan: p, ledger: ledger.New(1), log: slog.New(slog.DiscardHandler),
				router: routing.New(p.Targets, p.Strategy, 7), clock: standstill.New(began), began: began,
				place: place}},
		}
		prepare := s.liveMode.Prepare
		if setting == "CAPACITY_SEARCH" {
			prepare = s.Prepare
		}
		prepared, problems := prepare(t.Context())
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		s.config.Timer.Stop()
		return prepared
	}
	if prepared := prepare("CAPACITY_SEARCH"); len(prepared.Thresholds) > 0 || prepared.Stop.Abort {
		t.Errorf("%+v", prepared)
	}
	if prepared := prepare("THRESHOLD_ABORT"); prepared.Stop.Abort || len(prepared.Thresholds) != 1 {
		t.Errorf("the default threshold may end a run early: %+v", prepared)
	}
}
