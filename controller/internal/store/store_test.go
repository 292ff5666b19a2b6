package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

var update = flag.Bool("update", false, "write the stored database of the present version anew")

// old is a database as version 1 wrote it; a later version gets a file of its own and this one stays.
const old = "testdata/version-1.db"

const token = secret.String("0123456789abcdef0123456789abcdef")

var (
	key   = store.Key{1, 2, 3}
	noon  = time.Date(2026, 1, 2, 12, 0, 0, 5e6, time.UTC)
	clock = func() time.Time { return noon }
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), afero.NewOsFs(), path, key, clock)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func temp(t *testing.T) string { return filepath.Join(t.TempDir(), "a #%? b", "db") }

// fill puts one of everything into a database.
func fill(ctx context.Context, s *store.Store) error {
	_, err := s.SaveConfig(ctx,
		stored.Config{Values: map[string]string{"CONCURRENCY": "7"},
			Secrets: map[string]secret.String{"MATOMO_TOKEN_AUTH": token}})
	_, err2 := s.SavePreset(ctx,
		stored.Preset{Name: "Mine", Description: "d", Settings: map[string]string{"CONCURRENCY": "9"}})
	_, err3 := s.SaveFunnel(ctx,
		stored.Funnel{Funnel: funnel.Funnel{Name: "Buy", Probability: .5, Enabled: true,
			Steps: []funnel.Step{{Type: funnel.Pageview, URL: "https://a.test/"}}}})
	_, err4 := s.SaveTarget(ctx, stored.Target{Target: target.Target{
		Name: "A", URL: "https://a.test/matomo.php", SiteID: 2, Token: token, ReadToken: token, Weight: 3,
		Enabled: true,
		Access: target.Access{APIURL: "https://api.test/index.php", HTTPAuth: "user:" + token,
			Headers: "X-Gate: " + token, Proxy: "http://user:" + token + "@proxy.test",
			CAFile: "ca.pem", CertFile: "cert.pem", KeyFile: "key.pem"},
	}})
	return errors.Join(
		err,
		err2,
		err3,
		err4,
		s.SaveList(ctx, stored.URLs, []byte("https://a.test/\n")),
		s.SaveRouting(ctx, stored.Routing{Mode: stored.Multi, Strategy: target.Random}),
		s.SavePublished(ctx, map[string]store.Published{"urls.txt": {Base: "x", Next: "y"}}),
		s.SavePlan(ctx, map[string][]byte{"loadgen.env": []byte("MATOMO_TOKEN_AUTH=" + token.Reveal() + "\n")}),
		s.BeginRun(ctx, record.Run{
			Head:   record.Head{ID: "r1", Kind: "live", Seed: 1<<64 - 1, PlanHash: "h", Started: noon},
			Config: map[string]string{"A": "1"}}),
		s.SaveInterval(ctx, "r1", record.Interval{At: noon, Body: []byte(`{"n":1}`)}),
		s.EndRun(ctx, record.Run{
			Head: record.Head{
				ID:     "r1",
				Kind:   runsummary.Live,
				Ended:  new(noon.Add(time.Hour)),
				Reason: "finished",
			},
			Summary: &runsummary.Summary{Due: 3},
		}),
		s.AddAuditEntry(
			ctx,
			security.Entry{At: noon, Address: "127.0.0.1", Action: "PUT /api/config", Detail: "CONCURRENCY"},
		),
	)
}

// check reads what fill has written.
func check(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	c, err := s.Config(ctx)
	if err != nil || c.Revision != 2 || c.Values["CONCURRENCY"] != "7" || c.Secrets["MATOMO_TOKEN_AUTH"] != token ||
		!c.Updated.Equal(noon) {
		t.Errorf("config: %+v, %v", c, err)
	}
	presets, err := s.Presets(ctx)
	if err != nil || len(presets) != 1 || presets[0].Name != "Mine" || presets[0].Settings["CONCURRENCY"] != "9" ||
		!presets[0].Created.Equal(noon) {
		t.Errorf("presets: %+v, %v", presets, err)
	}
	funnels, err := s.Funnels(ctx)
	if err != nil || len(funnels) != 1 || funnels[0].Name != "Buy" || funnels[0].Steps[0].URL != "https://a.test/" {
		t.Errorf("funnels: %+v, %v", funnels, err)
	}
	targets, err := s.Targets(ctx)
	if err != nil || len(targets) != 1 || targets[0].Token != token || targets[0].Weight != 3 {
		t.Errorf("targets: %+v, %v", targets, err)
	}
	if body, err := s.List(ctx, stored.URLs); err != nil || string(body) != "https://a.test/\n" {
		t.Errorf("urls: %q, %v", body, err)
	}
	if r, err := s.Routing(ctx); err != nil || r != (stored.Routing{Mode: stored.Multi, Strategy: target.Random}) {
		t.Errorf("routing: %+v, %v", r, err)
	}
	if p, err := s.Published(ctx); err != nil || p["urls.txt"] != (store.Published{Base: "x", Next: "y"}) {
		t.Errorf("published: %+v, %v", p, err)
	}
	if p, err := s.Plan(ctx); err != nil || !strings.Contains(string(p["loadgen.env"]), token.Reveal()) {
		t.Errorf("plan: %v, %v", p, err)
	}
	r, err := s.Run(ctx, "r1")
	if err != nil || r.Seed != 1<<64-1 || r.Reason != "finished" || r.Summary.Due != 3 ||
		!r.Ended.Equal(noon.Add(time.Hour)) {
		t.Errorf("run: %+v, %v", r, err)
	}
	if m, err := s.Intervals(ctx, "r1"); err != nil || len(m) != 1 || string(m[0].Body) != `{"n":1}` ||
		!m[0].At.Equal(noon) {
		t.Errorf("minutes: %+v, %v", m, err)
	}
	if a, err := s.AuditEntries(ctx, 10); err != nil || len(a) != 1 ||
		a[0] != (security.Entry{At: noon, Address: "127.0.0.1", Action: "PUT /api/config", Detail: "CONCURRENCY"}) {
		t.Errorf("audit: %+v, %v", a, err)
	}
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	path := temp(t)
	s, err := store.Open(t.Context(), afero.NewOsFs(), path, key, clock)
	must(t, err)
	must(t, fill(t.Context(), s))
	must(t, s.Close())
	check(t, open(t, path))
}

func TestADatabaseOfAnOlderVersionIsBroughtUpToDate(t *testing.T) {
	fs := afero.NewOsFs()
	if *update {
		s := open(t, temp(t))
		must(t, fill(t.Context(), s))
		b, err := s.Backup(t.Context())
		must(t, err)
		data, err := io.ReadAll(b)
		must(t, errors.Join(err, b.Close()))
		must(t, afero.WriteFile(fs, old, data, 0o644))
	}
	data, err := afero.ReadFile(fs, old)
	must(t, err)
	path := filepath.Join(t.TempDir(), "db")
	must(t, afero.WriteFile(fs, path, data, 0o600))
	check(t, open(t, path))
}

func TestADatabaseOfANewerVersionIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, err := store.Open(t.Context(), afero.NewOsFs(), path, key, clock)
	must(t, err)
	must(t, s.Close())
	db, err := sql.Open("sqlite3", path)
	must(t, err)
	_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	must(t, errors.Join(err, db.Close()))
	if _, err := store.Open(t.Context(), afero.NewOsFs(), path, key, clock); !errors.Is(err, store.ErrNewer) {
		t.Errorf("got %v", err)
	}
}

func TestADatabaseOfAnotherProgramIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "presets.db")
	db, err := sql.Open("sqlite3", path)
	must(t, err)
	_, err = db.ExecContext(t.Context(),
		"CREATE TABLE config_presets (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO config_presets "+
			"VALUES (1, 'mine')")
	must(t, errors.Join(err, db.Close()))
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = store.Open(t.Context(), afero.NewOsFs(), path, key, clock)
	if !errors.Is(err, store.ErrForeign) || !strings.Contains(err.Error(), `CONFIG_DB_PATH="`+path) ||
		!strings.Contains(err.Error(), "from-the-original.md") {
		t.Errorf("it should name the setting and where the presets go: %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	beside, err := filepath.Glob(filepath.Dir(path) + "/*")
	must(t, err)
	if !bytes.Equal(before, after) || len(beside) != 1 {
		t.Errorf("it should stay as it was, alone: %v", beside)
	}
}

func TestNoSecretStandsInTheFiles(t *testing.T) {
	path := temp(t)
	s := open(t, path)
	must(t, fill(t.Context(), s))
	files, err := filepath.Glob(filepath.Dir(path) + "/*")
	must(t, err)
	if len(files) < 2 {
		t.Fatalf("only %v is there; the log of writes should be", files)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		must(t, err)
		if bytes.Contains(data, []byte(token)) {
			t.Errorf("%s holds the token", file)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", file, info.Mode(), err)
		}
	}
}

func TestHowATargetIsReachedIsKeptWhole(t *testing.T) {
	s := open(t, temp(t))
	want := target.Target{
		Name: "A", URL: "https://a.test/matomo.php", SiteID: 2, Token: "1", ReadToken: "2", Weight: 3, Enabled: true,
		Access: target.Access{APIURL: "https://api.test/index.php", HTTPAuth: "3", Headers: "4\n5", Proxy: "6",
			CAFile: "7", CertFile: "8", KeyFile: "9"},
	}
	id, err := s.SaveTarget(t.Context(), stored.Target{Target: want})
	must(t, err)
	for range 2 { // made anew, then written over
		if got, err := s.Targets(t.Context()); err != nil || len(got) != 1 || got[0].Target != want {
			t.Errorf("%+v, %v", got, err)
		}
		want.APIURL, want.HTTPAuth, want.Proxy = "", "", "none"
		_, err := s.SaveTarget(t.Context(), stored.Target{ID: id, Target: want})
		must(t, err)
	}
}

func TestTheWrongKeyIsToldAtTheStart(t *testing.T) {
	path := temp(t)
	s := open(t, path)
	must(t, fill(t.Context(), s))
	_, err := store.Open(t.Context(), afero.NewOsFs(), path, store.Key{9}, clock)
	if !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("got %v", err)
	}
}

func TestAKeyIsReadAsItWasWritten(t *testing.T) {
	fs, path := afero.NewOsFs(), filepath.Join(t.TempDir(), "controller", "secret-key")
	if _, err := store.ReadKey(fs, path); !os.IsNotExist(errors.Unwrap(err)) {
		t.Errorf("a key that is not there: %v", err)
	}
	made := store.NewKey()
	must(t, made.Write(fs, path))
	again, err := store.ReadKey(fs, path)
	if err != nil || again != made || made == (store.Key{}) {
		t.Errorf("the second key differs: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v", info.Mode(), err)
	}
	for _, bad := range []string{"", "short", strings.Repeat("zz", 32), strings.Repeat("ab", 33),
		strings.Repeat("ab", 500)} {
		must(t, afero.WriteFile(fs, path, []byte(bad), 0o600))
		if _, err := store.ReadKey(fs, path); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q as a key: %v", bad, err)
		}
	}
}

func TestABackupIsWholeWhileOthersWrite(t *testing.T) {
	path := temp(t)
	s := open(t, path)
	must(t, fill(t.Context(), s))
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ctx.Err() == nil {
			if err := s.SaveList(t.Context(), stored.Events, bytes.Repeat([]byte("x"), 100_000)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	b, err := s.Backup(t.Context())
	stop()
	writer.Wait()
	must(t, err)
	data, err := io.ReadAll(b)
	must(t, errors.Join(err, b.Close()))
	copied := filepath.Join(t.TempDir(), "copy")
	must(t, afero.WriteFile(afero.NewOsFs(), copied, data, 0o600))
	check(t, open(t, copied))
	if left, _ := filepath.Glob(filepath.Dir(path) + "/.backup*"); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

func TestNamesAreTakenWhateverTheirCase(t *testing.T) {
	s := open(t, temp(t))
	must(t, fill(t.Context(), s))
	_, preset := s.SavePreset(t.Context(), stored.Preset{Name: "MINE"})
	_, fun := s.SaveFunnel(t.Context(), stored.Funnel{Funnel: funnel.Funnel{Name: "BUY"}})
	_, tar := s.SaveTarget(t.Context(), stored.Target{Target: target.Target{Name: "a"}})
	for name, err := range map[string]error{"preset": preset, "funnel": fun, "target": tar} {
		if !errors.Is(err, store.ErrNameTaken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNotThereIsSaidSo(t *testing.T) {
	s := open(t, temp(t))
	ctx := t.Context()
	_, preset := s.Preset(ctx, 1)
	_, fun := s.Funnel(ctx, 1)
	_, saved := s.SaveFunnel(ctx, stored.Funnel{ID: 5})
	_, target := s.SaveTarget(ctx, stored.Target{ID: 5})
	_, content := s.List(ctx, stored.URLs)
	_, plan := s.Plan(ctx)
	_, run := s.Run(ctx, "x")
	for name, err := range map[string]error{
		"preset": preset, "funnel": fun, "saved funnel": saved, "saved target": target, "content": content,
		"plan": plan, "run": run,
		"deleted preset": s.DeletePreset(ctx, 1), "deleted funnel": s.DeleteFunnel(ctx, 1),
		"deleted target":  s.DeleteTarget(ctx, 1),
		"deleted content": s.DeleteList(ctx, stored.URLs),
		"ended run":       s.EndRun(ctx, record.Run{Head: record.Head{ID: "x", Ended: new(noon)}}),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOfTwoEditorsTheSecondIsTold(t *testing.T) {
	s := open(t, temp(t))
	c, err := s.Config(t.Context())
	must(t, err)
	results := make(chan error, 2)
	for range 2 {
		go func() { _, err := s.SaveConfig(t.Context(), c); results <- err }()
	}
	first, second := <-results, <-results
	if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), store.ErrStale) {
		t.Errorf("got %v and %v", first, second)
	}
}

func TestARunThatGoesOnIsOpenAgain(t *testing.T) {
	s := open(t, temp(t))
	ctx := t.Context()
	must(t, fill(ctx, s))
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "r1", Kind: "live",
		Started: noon.Add(2 * time.Hour)}}))
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "r2", Kind: "live",
		Started: noon.Add(3 * time.Hour)}}))
	runs, err := s.Runs(ctx, record.Query{Open: true})
	if err != nil || len(runs) != 2 || runs[0].ID != "r2" || !runs[1].Started.Equal(noon) || !runs[1].Open() {
		t.Errorf("%+v, %v", runs, err)
	}
	if runs, err := s.Runs(ctx, record.Query{Skip: 1, Limit: 5}); err != nil || len(runs) != 1 || runs[0].ID != "r1" {
		t.Errorf("%+v, %v", runs, err)
	}
}
