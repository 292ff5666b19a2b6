package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

// told is a run that remembers what it was told.
type told struct {
	scale  float64
	paused bool
}

func (t *told) SetRate(scale float64) { t.scale = scale }
func (t *told) Pause(paused bool)     { t.paused = paused }

func TestARunFollowsItsControlFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys, run, said := afero.NewMemMapFs(), told{scale: 1}, bytes.Buffer{}
		c := newControl(fsys, "/x", "mine", &run, slog.New(slog.NewTextHandler(&said, nil)))
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		go c.watch(ctx)
		for _, step := range []struct {
			text string
			want told
		}{
			{`{"run_id":"mine","paused":true}`, told{1, true}},
			{`{"run_id":"mine","scale":1.5}`, told{1.5, false}},
			{`{"run_id":"mine","scale":1000}`, told{1.5, false}}, // has a fault
			{`{"run_id":"mine","sca`, told{1.5, false}},
			{`{"run_id":"mine","scale":2,"paused":true}`, told{2, true}},
			{`{"run_id":"other","scale":3,"paused":true}`, told{1, false}},
			{`{"run_id":"mine","scale":0.01}`, told{0.01, false}},
			{"", told{1, false}}, // no file
		} {
			if step.text == "" {
				if err := fsys.Remove("/x/control.json"); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, fsys, "/x/control.json", step.text)
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if run != step.want {
				t.Errorf("%s: %+v, want %+v", step.text, run, step.want)
			}
		}
		if n := strings.Count(said.String(), "is not steered"); n != 2 {
			t.Errorf("two bad files were told %d times:\n%s", n, said.String())
		}
	})
}

func TestAPausedRunSendsNothingUntilItIsResumed(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), afero.NewMemMapFs()
	steer := func(paused bool) {
		write(t, fsys, "/x/control.json", fmt.Sprintf(`{"run_id":"steered","paused":%t,"scale":10}`, paused))
	}
	steer(true)
	l := start(t, fsys, settings(m, map[string]string{"RUN_ID": "steered", "EXCHANGE_DIR": "/x", "STATE_DIR": "/state", "LOAD_PROFILE": "10s:864000"}))
	eventually(t, "a record of the paused run", func() bool {
		_, err := fsys.Stat("/state/steered.json")
		return err == nil
	})
	if s := readSummary(t, fsys, "/state/steered.json"); s.Visits.Planned != 0 || s.Due != 0 {
		t.Errorf("%d visits began while it was paused, %d were due", s.Visits.Planned, s.Due)
	}
	steer(false)
	l.ends(t, exitOK)
	s := l.summary(t)
	addsUp(t, s)
	if s.Visits.Planned != 100 || s.Due != 100 || s.Reason != "stop_after_visits" {
		t.Errorf("%s, %+v, %d due", s.Reason, s.Visits, s.Due)
	}
}

func TestARunEndsWithItsStages(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"LOAD_PROFILE": "1s:0→1728000, 1s:1728000, 1s:0", "ARRIVALS": "poisson"}))
	l.ends(t, exitOK)
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
	if s.Reason != "profile_ended" || s.Visits.Planned != 30 || s.Due != 30 {
		t.Errorf("%s after %+v, %d due", s.Reason, s.Visits, s.Due)
	}
	if took := s.Ended.Sub(s.Started); took < 3*time.Second {
		t.Errorf("ended after %s", took)
	}
}
