package setup_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/target"
)

// kept are the files of the plan that was started last, as they are kept of its run.
func kept(t *testing.T, b bench) map[string][]byte {
	t.Helper()
	files, err := b.Published(t.Context())
	must(t, err)
	out, err := plan.Archive(files)
	must(t, err)
	return out
}

var again = plan.Identity{ID: "20260102-000000-beef", Seed: 7}

func TestAnotherRunOfTheSamePlanHasItsVeryFiles(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token, "CONCURRENCY": 7.0})
	_, err := b.library.SaveURLs(t.Context(), []byte(pages))
	must(t, err)
	_, err = b.Start(t.Context(), map[string]any{"CAPACITY_SEARCH": true}, drawn)
	must(t, err)
	first := kept(t, b)
	for name, data := range first {
		if strings.Contains(string(data), token) || strings.Contains(string(data), drawn.ID) {
			t.Errorf("%s keeps a token or an id", name)
		}
	}
	const newer = "fedcba9876543210fedcba9876543210"
	b.configure(t, map[string]any{"MATOMO_TOKEN_AUTH": newer, "CONCURRENCY": 9.0})
	_, err = b.library.SaveURLs(t.Context(), []byte("https://shop.test/c\n"))
	must(t, err)
	must(t, b.PublishRerun(t.Context(), first, again))
	values := env(t, b)
	for key, want := range map[string]string{
		"CONCURRENCY": "7", "CAPACITY_SEARCH": "true", "MATOMO_TOKEN_AUTH": newer, "RUN_ID": again.ID, "RUN_SEED": "7",
		"AUTO_START": "true",
	} {
		if values[key] != want {
			t.Errorf("%s is %q, want %q", key, values[key], want)
		}
	}
	if got := string(b.file(t, exchange.URLsFile)); got != pages || b.file(t, exchange.FunnelsFile) != nil {
		t.Errorf("want the pages of then and no other file: %q", got)
	}
	second := kept(t, b)
	if len(second) != len(first) || string(second[exchange.EnvFile]) != string(first[exchange.EnvFile]) {
		t.Errorf("both runs should keep the same:\n%s\n%s", first[exchange.EnvFile], second[exchange.EnvFile])
	}
	if edited, err := b.Conflicts(t.Context()); err != nil || len(edited) > 0 {
		t.Errorf("a rerun is no edit by hand: %v, %v", edited, err)
	}
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	if values := env(t, b); values["CONCURRENCY"] != "9" ||
		strings.Contains(string(b.file(t, exchange.URLsFile)), "shop.test/a") {
		t.Errorf("the next start has what is saved: %v", values["CONCURRENCY"])
	}
}

func TestATokenGoesOnlyWhereItIsSavedFor(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token})
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	first := kept(t, b)
	b.configure(t, map[string]any{"MATOMO_URL": "https://other.test/matomo.php", "MATOMO_TOKEN_AUTH": ""})
	var lost *plan.MissingSecrets
	if err := b.PublishRerun(t.Context(), first, again); !errors.As(err, &lost) ||
		!strings.Contains(err.Error(), "no token is saved for "+url) || strings.Contains(err.Error(), token) {
		t.Errorf("want the address whose token is gone: %v", err)
	}
	if env(t, b)["RUN_ID"] != drawn.ID {
		t.Error("nothing should be written")
	}
}

func TestTargetsGetTheTokensOfTheirNamesAndAddresses(t *testing.T) {
	b := newBench(t)
	a, err := b.library.CreateTarget(t.Context(),
		[]byte(`{"name":"A","url":"`+url+`","site_id":2,"token_auth":"`+token+`"}`))
	must(t, err)
	_, err = b.library.CreateTarget(t.Context(), []byte(`{"name":"B","url":"https://b.test/matomo.php","site_id":1}`))
	must(t, err)
	must(t, b.library.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: target.RoundRobin}))
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	first := kept(t, b)
	const newer = "fedcba9876543210fedcba9876543210"
	_, err = b.library.UpdateTarget(t.Context(), a.ID, []byte(`{"token_auth":"`+newer+`","site_id":9}`))
	must(t, err)
	must(t, b.PublishRerun(t.Context(), first, again))
	if got := string(b.file(t, exchange.TargetsFile)); !strings.Contains(got, newer) ||
		!strings.Contains(got, `"site_id": 2`) || strings.Contains(got, "MASKED") {
		t.Errorf("want the site of then and the token of now: %s", got)
	}
	_, err = b.library.UpdateTarget(t.Context(), a.ID, []byte(`{"name":"C"}`))
	must(t, err)
	var lost *plan.MissingSecrets
	if err := b.PublishRerun(t.Context(), first, again); !errors.As(err, &lost) ||
		!strings.Contains(err.Error(), `target "A"`) {
		t.Errorf("want the target whose token is gone: %v", err)
	}
}

func TestAnotherRunDoesNotOverwriteAnEditByHand(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	_, err := b.library.SaveURLs(t.Context(), []byte(pages))
	must(t, err)
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	first := kept(t, b)
	b.edit(t, exchange.URLsFile, "https://shop.test/mine\n")
	var conflict *folder.Conflict
	if err := b.PublishRerun(t.Context(), first, again); !errors.As(err, &conflict) || len(conflict.Files) != 1 ||
		conflict.Files[0] != exchange.URLsFile {
		t.Errorf("want the edited file: %v", err)
	}
	b.edit(t, exchange.URLsFile, pages)
	must(t, b.PublishRerun(t.Context(), first, again))
}

func TestTheFileThatSteersARunIsReadAsTheLoadgenReadsIt(t *testing.T) {
	b := newBench(t)
	if c := b.Steering("r"); c != exchange.NoOverride("r") {
		t.Errorf("without a file it follows its plan: %+v", c)
	}
	must(t, b.Steer(exchange.Control{RunID: "r", Paused: true, Scale: 2}))
	if c := b.Steering("r"); !c.Paused || c.Scale != 2 {
		t.Errorf("%+v", c)
	}
	if c := b.Steering("s"); c != exchange.NoOverride("s") {
		t.Errorf("the file is for another run: %+v", c)
	}
	b.edit(t, exchange.ControlFile, `{"run_id":"r","scale":1000}`)
	if c := b.Steering("r"); c != exchange.NoOverride("r") {
		t.Errorf("a bad file is ignored: %+v", c)
	}
}
