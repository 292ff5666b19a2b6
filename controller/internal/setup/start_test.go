package setup_test

import (
	"context"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
)

func TestEachStartHasAnIDOfItsOwnAndNothingElseChangesIt(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	seen := map[string]bool{}
	for _, step := range []struct {
		name  string
		do    func(context.Context) error
		start bool
	}{
		{"a start", func(ctx context.Context) error { _, err := b.Start(ctx, nil, drawn); return err }, true},
		{"a change", func(context.Context) error {
			b.configure(t, map[string]any{"MATOMO_URL": url, "CONCURRENCY": 9})
			return nil
		}, false},
		{"after a crash", b.StartAgain, true},
		{"the same run put back", func(ctx context.Context) error {
			files, err := b.Published(ctx)
			if err != nil {
				return err
			}
			return b.Restore(ctx, files)
		}, true},
		{"a rerun", func(ctx context.Context) error { return b.PublishRerun(ctx, kept(t, b), drawn) }, true},
		{"a stop", b.Stop, false},
	} {
		must(t, step.do(t.Context()))
		values := env(t, b)
		if id := values["START_ID"]; id == "" || seen[id] == step.start || values["RUN_ID"] != drawn.ID {
			t.Errorf("%s: START_ID=%q, RUN_ID=%q", step.name, id, values["RUN_ID"])
		} else {
			seen[id] = true
		}
		if edited, err := b.Conflicts(t.Context()); err != nil || len(edited) > 0 {
			t.Errorf("%s: it is no edit by hand: %v, %v", step.name, edited, err)
		}
	}
}

// A backfill that is started again goes on by its journal.
func TestAJobHasNoStartID(t *testing.T) {
	b := newBench(t)
	must(t, b.WriteJob(plan.Input{Settings: map[string]string{}}, drawn))
	files, err := b.JobFiles(drawn.ID)
	must(t, err)
	values, problems := exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile])
	if problems.Err() != nil || values["START_ID"] != "" || values["AUTO_START"] != "true" {
		t.Errorf("%v, %v", values, problems)
	}
}
