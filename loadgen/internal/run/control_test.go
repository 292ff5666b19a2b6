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

// told is a run that remembers what it was told.
type told struct {
	scale  float64
	paused bool
	finish []time.Duration
}

func (t *told) SetRate(scale float64) { t.scale = scale }
func (t *told) Pause(paused bool)     { t.paused = paused }
func (t *told) Finish(within time.Duration) {
	t.finish = append(t.finish, within)
}

func TestARunFollowsItsControlFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys, run, said := afero.NewMemMapFs(), told{scale: 1}, bytes.Buffer{}
		c := newControlFile(fsys, "/x", "mine", &run, slog.New(slog.NewTextHandler(&said, nil)))
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		go c.watch(ctx)
		for _, step := range []struct {
			text string
			want told
		}{
			{`{"run_id":"mine","paused":true}`, told{scale: 1, paused: true}},
			{`{"run_id":"mine","scale":1.5}`, told{scale: 1.5}},
			{`{"run_id":"mine","scale":1000}`, told{scale: 1.5}}, // has a fault
			{`{"run_id":"mine","sca`, told{scale: 1.5}},
			{`{"run_id":"mine","scale":2,"paused":true}`, told{scale: 2, paused: true}},
			{`{"run_id":"other","scale":3,"paused":true}`, told{scale: 1}},
			{`{"run_id":"mine","scale":0.01}`, told{scale: 0.01}},
			{"", told{scale: 1}}, // no file
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
		if n := strings.Count(said.String(), "is not steered"); n != 2 {
			t.Errorf("two bad files were told %d times:\n%s", n, said.String())
		}
	})
}

func TestARunIsAskedToFinishOnceForEachTime(t *testing.T) {
	t.Parallel()
	fsys, run := afero.NewMemMapFs(), told{scale: 1}
	c := newControlFile(fsys, "/x", "mine", &run, slog.New(slog.DiscardHandler))
	for _, text := range []string{
		`{"run_id":"mine","finish_seconds":60}`,
		`{"run_id":"mine","finish_seconds":60,"paused":true}`, // the time runs from when it was asked first
		`{"run_id":"mine","finish_seconds":0.5}`,
		`{"run_id":"mine"}`, // is not taken back
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
