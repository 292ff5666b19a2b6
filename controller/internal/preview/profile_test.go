package preview_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/profile"
)

func draw(t *testing.T, knobs map[string]string, now time.Time) preview.Drawing {
	t.Helper()
	d, err := preview.New(drafts(plan.Input{Settings: knobs}), nil, seven).Profile(t.Context(), nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestProfileHasItsCornersAndVisits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 27, 15, 0, 0, 0, time.UTC) // a Friday; the clocks of Berlin go forward on Sunday
	d := draw(t, map[string]string{"TARGET_VISITS_PER_DAY": "2400"}, now)
	if want := []preview.Point{{At: 0, Rate: 2400}, {At: 24 * 3600, Rate: 2400}}; d.Kind != profile.Constant ||
		!slices.Equal(d.Points, want) || d.Planned != 2400 || d.Ends != nil {
		t.Errorf("want a line for a constant rate, got %+v", d)
	}
	d = draw(t, map[string]string{"LOAD_PROFILE": "10m:0->24000,1h:24000,5m:240000"}, now)
	want := []preview.Point{
		{At: 0, Rate: 0}, {At: 10 * 60, Rate: 24000}, {At: 70 * 60, Rate: 24000},
		{At: 70 * 60, Rate: 240000}, {At: 75 * 60, Rate: 240000},
	}
	// 10 minutes of half of 24,000 a day, an hour of all of it, and 5 minutes of ten times as much.
	if visits := uint64(84 + 1000 + 833); !slices.Equal(d.Points, want) || d.Planned < visits || d.Planned > visits+1 ||
		d.Ends == nil || *d.Ends != 75*60 || d.Window != *d.Ends {
		t.Errorf("stages have their corners: %+v", d)
	}
	d = draw(t, map[string]string{"LOAD_PROFILE": "week", "LOAD_CURVE": "0" + strings.Repeat(",1", 23),
		"TIMEZONE": "Europe/Berlin", "TARGET_VISITS_PER_DAY": "2300"}, now)
	monday := time.Date(2026, 3, 22, 23, 0, 0, 0, time.UTC)
	if !d.From.Equal(monday) || d.Window != 167*3600 || d.Planned != 7*2300-100 {
		t.Errorf("want a week from Monday without an hour, got %s, %g s, %d", d.From, d.Window, d.Planned)
	}
}
