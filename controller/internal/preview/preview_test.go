package preview_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// drafts always returns the same settings.
type drafts plan.Input

// Draft implements preview.Drafts.
func (d drafts) Draft(context.Context, map[string]any, []byte) (plan.Input, problem.List, error) {
	return plan.Input(d), nil, nil
}

// planner is a loadgen that prints what a test wants.
type planner func(ctx context.Context, files map[string][]byte, args ...string) (launcher.Output, error)

// Plan implements preview.Planner.
func (p planner) Plan(ctx context.Context, files map[string][]byte, args ...string) (launcher.Output, error) {
	return p(ctx, files, args...)
}

func seven() uint64 { return 7 }

func problemLines(problems problem.List) []launcher.Line {
	var out []launcher.Line
	for _, p := range problems {
		out = append(out, launcher.Line{Problem: &p})
	}
	return out
}

func TestHitsAreGroupedByVisit(t *testing.T) {
	t.Parallel()
	printed := `{"visit":0,"visitor":"a","funnel":"Way","kind":"pageview","records":"pageview","sent_seconds":0.000,"recorded_seconds":0,"parameters":{"url":"u"}}
{"visit":0,"visitor":"a","funnel":"Way","kind":"event","records":"event","sent_seconds":1.250,"recorded_seconds":90,"parameters":{"e_c":"c"}}
{"visit":1,"visitor":"b","kind":"pageview","records":"pageview","sent_seconds":0.000,"recorded_seconds":0,"parameters":{}}
`
	var env string
	var warnings problem.List
	warnings.Warn("CONCURRENCY", "1", "is low", "raise it")
	p := preview.New(drafts{Settings: map[string]string{"PAGEVIEWS_MIN": "2"}},
		planner(func(_ context.Context, files map[string][]byte, args ...string) (launcher.Output, error) {
			env = string(files[exchange.EnvFile])
			for name, data := range files {
				if data == nil {
					t.Errorf("%s is there with nothing in it", name)
				}
			}
			if args[len(args)-1] != "2" {
				t.Errorf("got the arguments %q", args)
			}
			return launcher.Output{Stdout: []byte(printed),
				Stderr: append(problemLines(warnings), launcher.Line{Text: "run preview"})}, nil
		}), seven)
	got, err := p.Visits(t.Context(), preview.Request{Visits: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got.Seed != 7 || !strings.Contains(env, "RUN_SEED=7") || !strings.Contains(env, "PAGEVIEWS_MIN=2") {
		t.Errorf("seed %d in %s", got.Seed, env)
	}
	want := "[{0 a Way [{pageview pageview 0 0 map[url:u]} {event event 1.25 90 map[e_c:c]}]} {1 b  [{pageview " +
		"pageview 0 0 map[]}]}]"
	if text := fmt.Sprint(got.Visits); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if !slices.Equal(got.Warnings, warnings) {
		t.Errorf("%+v", got.Warnings)
	}
}

func TestRejectedSettingsAreProblems(t *testing.T) {
	t.Parallel()
	refusing := planner(func(context.Context, map[string][]byte, ...string) (launcher.Output, error) {
		return launcher.Output{ExitCode: 2, Stderr: problemLines(problem.List{{Where: "ECOMMERCE_ORDER_VALUE_MIN",
			Message: "cannot be reached", Cure: "widen the range", Severity: problem.Error}})}, nil
	})
	_, err := preview.New(drafts{Settings: map[string]string{}}, refusing, seven).Visits(t.Context(),
		preview.Request{Visits: 1})
	var problems problem.List
	if !errors.As(err, &problems) || problems[0].Where != "ECOMMERCE_ORDER_VALUE_MIN" {
		t.Errorf("%v", err)
	}
	broken := planner(func(context.Context, map[string][]byte, ...string) (launcher.Output, error) {
		return launcher.Output{ExitCode: 1}, nil
	})
	if _, err := preview.New(drafts{Settings: map[string]string{}}, broken, seven).Visits(t.Context(),
		preview.Request{Visits: 1}); err == nil || errors.As(err, &problems) {
		t.Errorf("want no problem.List for a broken loadgen, got %v", err)
	}
}

func TestEstimateIsThatOfTheLoadgen(t *testing.T) {
	t.Parallel()
	estimates := planner(func(_ context.Context, _ map[string][]byte, args ...string) (launcher.Output, error) {
		if !slices.Equal(args, []string{"--estimate"}) {
			t.Errorf("got the arguments %q", args)
		}
		return launcher.Output{Stdout: []byte(`{"sampled_visits":5000,"hits_per_visit":6.25,"end":{"seconds":60,` +
			`"by":"STOP_AFTER_VISITS"}}`)}, nil
	})
	e, err := preview.New(drafts{Settings: map[string]string{}}, estimates, seven).Estimate(t.Context(), nil)
	if err != nil || e.HitsPerVisit != 6.25 || e.End == nil || e.End.Seconds != 60 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestVersionMismatchIsReported(t *testing.T) {
	t.Parallel()
	older := planner(func(context.Context, map[string][]byte, ...string) (launcher.Output, error) {
		return launcher.Output{ExitCode: 2, Stderr: []launcher.Line{
			{Text: "flag provided but not defined: -estimate"}, {Text: "Usage of plan:"}}}, nil
	})
	_, err := preview.New(drafts{Settings: map[string]string{}}, older, seven).Estimate(t.Context(), nil)
	if !errors.Is(err, launcher.ErrVersionMismatch) || !strings.Contains(err.Error(), "-estimate") {
		t.Errorf("want a sentence on the version, got %v", err)
	}
}

func TestPreviewTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hanging := planner(func(ctx context.Context, _ map[string][]byte, _ ...string) (launcher.Output, error) {
			<-ctx.Done()
			return launcher.Output{}, ctx.Err()
		})
		p := preview.New(drafts{Settings: map[string]string{}}, hanging, seven)
		done := make(chan error, 2)
		for range 2 { // the second one waits for the first
			go func() {
				_, err := p.Visits(t.Context(), preview.Request{Visits: 1})
				done <- err
			}()
		}
		for range 2 {
			if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
	})
}
