package run

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
)

// fakeRun records the calls.
type fakeRun struct {
	scale  float64
	paused bool
	finish []time.Duration
}

func (r *fakeRun) SetRate(scale float64) { r.scale = scale }
func (r *fakeRun) Pause(paused bool)     { r.paused = paused }
func (r *fakeRun) Finish(within time.Duration) {
	r.finish = append(r.finish, within)
}

func TestControlFileIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys, run, logged := afero.NewMemMapFs(), fakeRun{scale: 1}, bytes.Buffer{}
		c := newControlFile(fsys, "/x", "mine", &run, slog.New(slog.NewTextHandler(&logged, nil)))
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		go everySecond(ctx, c.poll)
		for _, step := range []struct {
			text string
			want fakeRun
		}{
			{`{"run_id":"mine","paused":true}`, fakeRun{scale: 1, paused: true}},
			{`{"run_id":"mine","scale":1.5}`, fakeRun{scale: 1.5}},
			{`{"run_id":"mine","scale":1000}`, fakeRun{scale: 1.5}}, // out of range
			{`{"run_id":"mine","sca`, fakeRun{scale: 1.5}},
			{`{"run_id":"mine","scale":2,"paused":true}`, fakeRun{scale: 2, paused: true}},
			{`{"run_id":"other","scale":3,"paused":true}`, fakeRun{scale: 1}},
			{`{"run_id":"mine","scale":0.01}`, fakeRun{scale: 0.01}},
			{"", fakeRun{scale: 1}}, // no file
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
			if run.scale != step.want.scale || run.paused != step.want.paused {
				t.Errorf("%s: %+v, want %+v", step.text, run, step.want)
			}
		}
		if n := strings.Count(logged.String(), "control file ignored"); n != 2 {
			t.Errorf("two invalid files were logged %d times:\n%s", n, logged.String())
		}
	})
}

func TestFinishIsRequestedOncePerValue(t *testing.T) {
	t.Parallel()
	fsys, run := afero.NewMemMapFs(), fakeRun{scale: 1}
	c := newControlFile(fsys, "/x", "mine", &run, slog.New(slog.DiscardHandler))
	for _, text := range []string{
		`{"run_id":"mine","finish_seconds":60}`,
		`{"run_id":"mine","finish_seconds":60,"paused":true}`, // the time runs from the first request
		`{"run_id":"mine","finish_seconds":0.5}`,
		`{"run_id":"mine"}`, // cannot be withdrawn
		`{"run_id":"other","finish_seconds":7}`,
	} {
		write(t, fsys, "/x/control.json", text)
		c.poll()
	}
	if want := []time.Duration{time.Minute, 500 * time.Millisecond}; !slices.Equal(run.finish, want) {
		t.Errorf("asked to finish within %v, want %v", run.finish, want)
	}
}

func write(t *testing.T, fsys afero.Fs, path, content string) {
	t.Helper()
	if err := afero.WriteFile(fsys, path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
