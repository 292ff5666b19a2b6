package setup_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

const pages = "https://shop.test/a\thome\nhttps://shop.test/b\n"

var drawn = plan.Identity{ID: "20260101-000000-abcd", Seed: 7}

func env(t *testing.T, b bench) map[string]string {
	t.Helper()
	values, problems := exchange.ParseEnv(exchange.EnvFile, b.file(t, exchange.EnvFile))
	must(t, problems.Err())
	return values
}

func TestAStartPublishesWhatIsSaved(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token,
		"MATOMO_READ_TOKEN": "only-to-read-with", "CONCURRENCY": 7.0})
	_, err := b.library.SaveURLs(t.Context(), []byte(pages))
	must(t, err)
	_, err = b.library.CreateFunnel(t.Context(),
		[]byte(`{"name":"Buy","probability":0.5,"steps":[{"type":"pageview","url":"https://shop.test/a"}]}`))
	must(t, err)
	_, err = b.library.SaveEvents(
		t.Context(),
		[]byte(
			`{"click_events_probability":0.4,"click_events":[{"category":"a","action":"b","name":"c"}],"random_events":[]}`,
		),
	)
	must(t, err)
	id, err := b.Start(t.Context(), nil, drawn)
	must(t, err)

	values := env(t, b)
	for key, want := range map[string]string{
		"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token, "CONCURRENCY": "7", "AUTO_START": "true", "RUN_ID": drawn.ID,
		"RUN_SEED":                 "7",
		"CLICK_EVENTS_PROBABILITY": "0.4",
	} {
		if values[key] != want {
			t.Errorf("%s is %q, want %q", key, values[key], want)
		}
	}
	if v, there := values["MATOMO_READ_TOKEN"]; there {
		t.Errorf("the loadgen gets the token to read with: %q", v)
	}
	if id != drawn {
		t.Errorf("the run is %+v", id)
	}
	for _, key := range []string{"URLS_FILE", "FUNNEL_CONFIG_PATH", "MULTI_TARGET_CONFIG", "TIMELINE"} {
		if v, there := values[key]; !there || v != "" {
			t.Errorf("%s is %q: what is not written comes from the loadgen's own environment", key, v)
		}
	}
	if _, problems := spec.Parse(values, nil); problems.Err() != nil {
		t.Error(problems)
	}
	if got := string(b.file(t, exchange.URLsFile)); got != pages {
		t.Errorf("urls.txt is %q", got)
	}
	set, problems := eventset.Decode("", b.file(t, exchange.EventsFile))
	if problems.Err() != nil || set.ClickProbability == nil || *set.ClickProbability != .4 {
		t.Errorf("events.json: %+v, %v", set, problems)
	}
	if !strings.Contains(string(b.file(t, exchange.FunnelsFile)), `"Buy"`) || b.file(t, exchange.TargetsFile) != nil {
		t.Error("funnels.json lacks the funnel, or a targets.json is there for a single target")
	}
	info, err := os.Stat(filepath.Join(b.dir, "exchange", exchange.EnvFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("loadgen.env has mode %v, %v", info.Mode(), err)
	}
}

func TestSeveralTargetsTakeThePlaceOfTheSingleOne(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token})
	_, err := b.library.CreateTarget(t.Context(),
		[]byte(`{"name":"A","url":"https://a.test","site_id":2,"token_auth":"`+token+`"}`))
	must(t, err)
	must(t, b.library.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: target.Weighted}))
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	set, problems := target.Decode("", b.file(t, exchange.TargetsFile))
	if problems.Err() != nil || set.Targets[0].URL != "https://a.test/matomo.php" || set.Targets[0].Token != token ||
		set.Strategy != target.Weighted {
		t.Errorf("%+v: %v", set, problems)
	}
	if v := env(t, b); v["MATOMO_URL"] != "" || v["MATOMO_TOKEN_AUTH"] != "" {
		t.Error("the single target is published too")
	}
	must(t, b.library.SaveRouting(t.Context(), stored.Routing{Mode: stored.Single, Strategy: target.Weighted}))
	must(t, b.Publish(t.Context()))
	if b.file(t, exchange.TargetsFile) != nil || env(t, b)["MATOMO_URL"] != url {
		t.Error("back to a single target, targets.json is still there")
	}
}

func TestAStartWithoutATargetIsRefused(t *testing.T) {
	b := newBench(t)
	if _, err := b.Start(t.Context(), nil, drawn); err == nil ||
		!strings.HasPrefix(err.Error(), "MATOMO_URL: is not set") {
		t.Errorf("got %v", err)
	}
	if _, err := b.Start(t.Context(), map[string]any{"MATOMO_URL": url, "CONCURRENCY": "0"}, drawn); err == nil ||
		!strings.Contains(err.Error(), `CONCURRENCY="0"`) {
		t.Errorf("got %v", err)
	}
	if b.file(t, exchange.EnvFile) != nil {
		t.Error("something was published")
	}
}

func TestSavedIdAndSeedWinOverDrawnOnes(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "RUN_ID": "nightly", "RUN_SEED": 9007199254740991.0})
	id, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	if want := (plan.Identity{ID: "nightly", Seed: 9007199254740991}); id != want ||
		env(t, b)["RUN_ID"] != "nightly" {
		t.Errorf("the run is %+v", id)
	}
}

func TestAStopOnlyTellsTheLoadgenToIdle(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	b.configure(t, map[string]any{"CONCURRENCY": 7.0})
	must(t, b.Stop(t.Context()))
	if v := env(t, b); v["AUTO_START"] != "false" || v["RUN_ID"] != drawn.ID || v["CONCURRENCY"] != "" {
		t.Errorf("%v", v)
	}
}

func TestAnEditByHandIsUsedAndNeverSilentlyLost(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	save := func(content string) error {
		_, err := b.SaveURLs(t.Context(), []byte(content))
		return err
	}
	must(t, save(pages))
	const edited = "https://shop.test/by-hand\n"
	b.edit(t, exchange.URLsFile, edited)

	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	if got := string(b.file(t, exchange.URLsFile)); got != edited {
		t.Errorf("a start made %q of the edit", got)
	}
	var conflict *folder.Conflict
	if err := save("https://shop.test/other\n"); !errors.As(err, &conflict) ||
		!slices.Equal(conflict.Files, []string{exchange.URLsFile}) {
		t.Fatalf("got %v", err)
	}
	if content, _, err := b.library.URLContent(t.Context()); err != nil || string(content) != pages {
		t.Errorf("the refused list was saved: %q, %v", content, err)
	}
	if files, err := b.Conflicts(t.Context()); err != nil || !slices.Equal(files, []string{exchange.URLsFile}) {
		t.Errorf("conflicts are %v, %v", files, err)
	}
	must(t, b.Resolve(t.Context(), setup.Import, exchange.URLsFile))
	if content, _, err := b.library.URLContent(t.Context()); err != nil || string(content) != edited {
		t.Errorf("the edit was not imported: %q, %v", content, err)
	}
	must(t, save(pages))

	b.edit(t, exchange.URLsFile, edited)
	must(t, b.Resolve(t.Context(), setup.Overwrite))
	if got := string(b.file(t, exchange.URLsFile)); got != pages {
		t.Errorf("urls.txt is %q", got)
	}
}

func TestAnEditedLoadgenEnvStartsWithANewRun(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	b.edit(t, exchange.EnvFile, "MATOMO_URL="+url+"\nCONCURRENCY=3 # mine\n")
	next := plan.Identity{ID: "next", Seed: 8}
	_, err = b.Start(t.Context(), nil, next)
	must(t, err)
	if v := env(t, b); v["CONCURRENCY"] != "3" || v["RUN_ID"] != "next" || v["AUTO_START"] != "true" {
		t.Errorf("%v", v)
	}
	b.configure(t, map[string]any{"PAGEVIEWS_MAX": 9.0})
	var conflict *folder.Conflict
	if _, err := b.Start(t.Context(), nil, next); !errors.As(err, &conflict) {
		t.Errorf("got %v", err)
	}
	must(t, b.Resolve(t.Context(), setup.Import))
	if v := env(t, b); v["CONCURRENCY"] != "3" || v["PAGEVIEWS_MAX"] != "" || v["RUN_ID"] != "next" {
		t.Errorf("the file became the configuration: %v", v)
	}
}

// A person may have the loadgen read the token from a file of its own.
func TestAnEditThatNamesATokensFileStartsAndCanBeRepeated(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token})
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	edited := strings.ReplaceAll(string(b.file(t, exchange.EnvFile)), "MATOMO_TOKEN_AUTH="+token,
		"MATOMO_TOKEN_AUTH_FILE=/run/secrets/token")
	must(t, os.WriteFile(filepath.Join(b.dir, "exchange", exchange.EnvFile), []byte(edited), 0o600))
	if _, err := b.Start(t.Context(), nil, again); err != nil {
		t.Fatal(err)
	}
	if values := env(t, b); values["MATOMO_TOKEN_AUTH_FILE"] != "/run/secrets/token" ||
		values["MATOMO_TOKEN_AUTH"] != "" || values["RUN_ID"] != again.ID {
		t.Errorf("the start should use the edit: %v", values)
	}
	if _, err := b.PendingChanges(t.Context()); err != nil {
		t.Error(err)
	}
	kept(t, b)
	var problems problem.List
	if err := b.Resolve(t.Context(), setup.Import, exchange.EnvFile); !errors.As(err, &problems) ||
		!strings.Contains(err.Error(), "set MATOMO_TOKEN_AUTH itself") {
		t.Errorf("a saved configuration names no files: %v", err)
	}
}

func TestALoadgenEnvThatCannotBeReadIsAnEditLikeOthers(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	const twice = "CONCURRENCY=3\nMATOMO_URL=" + url + "\nCONCURRENCY=4\n"
	b.edit(t, exchange.EnvFile, twice)

	p, err := b.PendingChanges(t.Context())
	if err != nil || len(p) != 1 || p[0].Name != exchange.EnvFile || !p[0].Edited ||
		!strings.Contains(p[0].Fault, "line 3: is set twice") {
		t.Errorf("pending is %+v, %v", p, err)
	}
	if files, err := b.Conflicts(t.Context()); err != nil || !slices.Equal(files, []string{exchange.EnvFile}) {
		t.Errorf("conflicts are %v, %v", files, err)
	}
	var conflict *folder.Conflict
	if _, err := b.Start(t.Context(), nil, drawn); !errors.As(err, &conflict) {
		t.Errorf("a start: %v", err)
	}
	must(t, b.Stop(t.Context()))
	_, err = b.SaveURLs(t.Context(), []byte(pages))
	must(t, err)
	if got := string(b.file(t, exchange.URLsFile)); got != pages {
		t.Errorf("another file is saved as %q", got)
	}
	var problems problem.List
	if err := b.Resolve(t.Context(), setup.Import); !errors.As(err, &problems) {
		t.Errorf("an import: %v", err)
	}
	if got := string(b.file(t, exchange.EnvFile)); got != twice {
		t.Errorf("the edit became %q", got)
	}
	must(t, b.Resolve(t.Context(), setup.Overwrite))
	if v := env(t, b); v["MATOMO_URL"] != url || v["CONCURRENCY"] != "" {
		t.Errorf("overwritten: %v", v)
	}
}

func TestThePlanBeforeCanBeRestored(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	_, err := b.library.SaveURLs(t.Context(), []byte(pages))
	must(t, err)
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	before, err := b.Published(t.Context())
	must(t, err)

	_, err = b.library.DeleteURLs(t.Context())
	must(t, err)
	b.configure(t, map[string]any{"CONCURRENCY": 9.0})
	_, err = b.Start(t.Context(), nil, plan.Identity{ID: "bad", Seed: 1})
	must(t, err)
	must(t, b.Restore(t.Context(), before))
	if v := env(t, b); v["RUN_ID"] != drawn.ID || v["CONCURRENCY"] != "" ||
		string(b.file(t, exchange.URLsFile)) != pages {
		t.Errorf("restored: %v", v)
	}
	if files, err := b.Conflicts(t.Context()); err != nil || len(files) != 0 {
		t.Errorf("what was restored counts as an edit: %v, %v", files, err)
	}
	if p, err := b.PendingChanges(t.Context()); err != nil || len(p) != 2 {
		t.Errorf("pending is %+v, %v", p, err)
	}
}

func TestALookInTheMiddleOfManyWritesSeesNoEditByHand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	done := make(chan error, 1)
	go func() {
		for i := range 60 {
			if _, err := b.SaveURLs(ctx, fmt.Appendf(nil, "https://a.test/%d\n", i)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			must(t, err)
			return
		default:
		}
		if edited, err := b.Conflicts(ctx); err != nil || len(edited) > 0 {
			t.Fatalf("nobody edited %v: %v", edited, err)
		}
	}
}
