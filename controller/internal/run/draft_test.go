package run_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/puttrix/trafficinator/controller/internal/run"
)

func TestDraftIsSavedOnlyOnceItsRunIsRunning(t *testing.T) {
	t.Parallel()
	for what, saves := range map[string]int{"new": 1, "bad": 0, "silent": 0, "unpublishable": 0} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.saved["WHAT"] = "old"
				m := control(t, w)
				start(t, m)
				saved := 0
				w.save = func() error {
					if st := m.Status(); st.Phase != "running" || st.Run.PlanHash != "hash of "+what {
						t.Errorf("saved while %+v", st)
					}
					saved++
					return nil
				}
				_, err := m.Apply(t.Context(), 0, &run.Draft{Config: map[string]any{"WHAT": what}})
				if saved != saves || (err == nil) != (saves > 0) {
					t.Errorf("saved %d times, want %d: %v", saved, saves, err)
				}
			})
		})
	}
}

func TestDraftIsSavedWithoutARun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	full := errors.New("the disk is full")
	w.save = func() error { return full }
	if _, err := m.Apply(t.Context(), 0, &run.Draft{}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if w.starts != 0 {
		t.Errorf("%d starts", w.starts)
	}
}

func TestWarningForARunningDraftThatCannotBeSaved(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	w.save = func() error { return errors.New("the disk is full") }
	r, err := m.Apply(t.Context(), 0, &run.Draft{})
	if err != nil || !strings.Contains(r.Warnings.Error(), "could not be saved: the disk is full") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWarningForIgnoredSettingsOfAStart(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	for want, overrides := range map[string]map[string]any{"config: was ignored because a run is in progress; " +
		"stop it, or set restart_if_running": {"WHAT": "new"}, "": nil} {
		r, err := m.Start(t.Context(), run.Request{Overrides: overrides})
		if err != nil || !r.Unchanged || r.Warnings.Error() != want || w.starts != 1 {
			t.Errorf("%v: %+v, %v", overrides, r, err)
		}
	}
}
