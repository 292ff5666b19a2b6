package run

import (
	"reflect"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func newReservations(t testing.TB) *reservations {
	t.Helper()
	p, problems := plan.Load(afero.NewMemMapFs(), map[string]string{
		"RUN_ID":              "reserved",
		"MULTI_TARGET_CONFIG": `{"targets":[{"name":"a","url":"https://a.test/matomo.php","site_id":1,"weight":3},{"name":"b","url":"https://b.test/matomo.php","site_id":1,"weight":1}],"distribution_strategy":"weighted"}`,
	}, func(*plan.Plan) (uint64, string) { return 7, "" })
	if p == nil {
		t.Fatal(problems)
	}
	return &reservations{plan: p, router: routing.New(p.Targets, p.Strategy, p.Seed)}
}

// reserved returns the reserved visits of a summary, by target.
func (a *reservations) reserved(from, upTo uint64) map[string]runsummary.Reserved {
	s, out := runsummary.Summary{Targets: map[string]runsummary.Target{}}, map[string]runsummary.Reserved{}
	a.addTo(&s, from, upTo, time.Unix(0, 0))
	for name, target := range s.Targets {
		out[name] = *target.Reserved
	}
	return out
}

func TestReservedVisitsAreTheNextOnes(t *testing.T) {
	t.Parallel()
	a := newReservations(t)
	var v visit.Visit
	for _, window := range [][2]uint64{{0, 40}, {10, 60}, {10, 60}, {70, 75}, {75, 75}, {80, 200}, {90, 100}} {
		want := map[string]runsummary.Reserved{}
		for n := window[0]; n < window[1]; n++ {
			name := a.plan.TargetNames()[a.router.Assign(n)]
			r := want[name]
			if r.ByKind == nil {
				r.ByKind = map[string]uint64{}
			}
			r.Visits++
			a.plan.Visits.Outline(n, &v)
			for i := range v.Hits {
				r.ByKind[v.Hits[i].RecordedAs.String()]++
			}
			want[name] = r
		}
		if got := a.reserved(window[0], window[1]); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, want %+v", window, got, want)
		}
	}
}

// Ten thousand visits a second, two seconds ahead.
func BenchmarkReserve(b *testing.B) {
	a := newReservations(b)
	n := uint64(0)
	for b.Loop() {
		a.reserved(n, n+20_000)
		n += 10_000
	}
}
