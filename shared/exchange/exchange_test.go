package exchange_test

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
)

var update = flag.Bool("update", false, "write the golden folder again")

const golden = "testdata/golden"

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// folder is what a controller would publish.
func folder(t *testing.T) map[string][]byte {
	t.Helper()
	count, value, share := 12, 49.9, 0.25
	return map[string][]byte{
		exchange.EnvFile: must[[]byte](t)(exchange.EncodeEnv(map[string]string{
			"TARGET_VISITS_PER_DAY": "5000", "TIMEZONE": "Europe/Stockholm", "RUN_ID": "golden", "RUN_SEED": "7",
			"SUMMARY_FILE": "/app/state/last run.json",
		})),
		exchange.URLsFile: urllist.Encode([]urllist.Page{{URL: "https://shop.test/", Title: "Café – home"},
			{URL: "https://shop.test/lamp"}}),
		exchange.EventsFile: must[[]byte](t)(eventset.Encode(eventset.Set{
			ClickProbability: &share,
			Click:            []eventset.Event{{Category: "CTA", Action: "click", Name: "Buy", Value: &value}},
			Random:           []eventset.Event{{Category: "User", Action: "login", Name: "Success"}},
		})),
		exchange.FunnelsFile: must[[]byte](t)(funnel.Encode([]funnel.Funnel{{
			Name: "Purchase", Probability: .35, Enabled: true,
			Steps: []funnel.Step{
				{Type: funnel.Pageview, URL: "https://shop.test/", DelayMin: 1, DelayMax: 2},
				{Type: funnel.SiteSearch, SearchKeyword: "lamp", SearchResults: &count},
				{Type: funnel.Ecommerce, Revenue: &value},
			},
		}})),
		exchange.TargetsFile: must[[]byte](t)(target.Encode(target.Set{
			Strategy: target.Weighted,
			Targets: []target.Target{{Name: "Staging", URL: "https://matomo.test/matomo.php", SiteID: 3,
				Token: secret.String("t0ken"), Weight: 40, Enabled: true}},
		})),
	}
}

func TestTheWriterMakesTheGoldenFolder(t *testing.T) {
	fs, dir := afero.NewOsFs(), t.TempDir()
	if *update {
		dir = golden
	}
	if err := exchange.Publish(fs, dir, folder(t)); err != nil {
		t.Fatal(err)
	}
	for name := range folder(t) {
		got, want := must[[]byte](t)(os.ReadFile(filepath.Join(dir, name))),
			must[[]byte](t)(os.ReadFile(filepath.Join(golden, name)))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if info := must[os.FileInfo](t)(os.Stat(filepath.Join(dir, name))); !*update && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestTheReaderLoadsTheGoldenFolder(t *testing.T) {
	read := func(name string) []byte {
		return must[[]byte](t)(exchange.Read(afero.NewOsFs(), filepath.Join(golden, name)))
	}
	env, problems := exchange.ParseEnv(exchange.EnvFile, read(exchange.EnvFile))
	problems = append(problems, spec.Unknown(exchange.EnvFile, env, problem.Error)...)
	if problems != nil || env["SUMMARY_FILE"] != "/app/state/last run.json" || len(env) != 5 {
		t.Errorf("%v: %v", env, problems)
	}
	pages, problems := urllist.Parse(exchange.URLsFile, bytes.NewReader(read(exchange.URLsFile)))
	if problems.Err() != nil || len(pages) != 2 || pages[0].Title != "Café – home" {
		t.Errorf("%+v: %v", pages, problems)
	}
	events, problems := eventset.Decode(exchange.EventsFile, read(exchange.EventsFile))
	if problems.Err() != nil || *events.Click[0].Value != 49.9 || *events.ClickProbability != .25 {
		t.Errorf("%+v: %v", events, problems)
	}
	funnels, problems := funnel.Decode(exchange.FunnelsFile, read(exchange.FunnelsFile))
	if problems.Err() != nil || len(funnels[0].Steps) != 3 || *funnels[0].Steps[2].Revenue != 49.9 {
		t.Errorf("%+v: %v", funnels, problems)
	}
	targets, problems := target.Decode(exchange.TargetsFile, read(exchange.TargetsFile))
	if problems.Err() != nil || targets.Targets[0].Token.Reveal() != "t0ken" || targets.Strategy != target.Weighted {
		t.Errorf("%+v: %v", targets, problems)
	}
}

// full is a disk that gives out at one operation.
type full struct {
	afero.Fs
	at string
}

func (f full) fails(operation string) error {
	if f.at == operation {
		return errors.New("no space left on device")
	}
	return nil
}

func (f full) OpenFile(name string, flags int, mode os.FileMode) (afero.File, error) {
	if err := f.fails("create"); err != nil && flags&os.O_CREATE != 0 {
		return nil, err
	}
	file, err := f.Fs.OpenFile(name, flags, mode)
	return fullFile{file, f}, err
}

func (f full) Rename(from, to string) error {
	if err := f.fails("rename"); err != nil {
		return err
	}
	return f.Fs.Rename(from, to)
}

type fullFile struct {
	afero.File
	disk full
}

func (f fullFile) Write(p []byte) (int, error) {
	if err := f.disk.fails("write"); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f fullFile) Sync() error {
	if err := f.disk.fails("sync"); err != nil {
		return err
	}
	return f.File.Sync()
}

func TestAFileThatCannotBeWrittenLeavesTheOldOneAlone(t *testing.T) {
	for _, at := range []string{"create", "write", "sync", "rename"} {
		t.Run(at, func(t *testing.T) {
			fs := afero.NewMemMapFs()
			if err := exchange.Publish(fs, "/x", map[string][]byte{"a": []byte("old")}); err != nil {
				t.Fatal(err)
			}
			err := exchange.Publish(full{fs, at}, "/x", map[string][]byte{"a": []byte("new")})
			if err == nil || err.Error() != "publish a: no space left on device" {
				t.Errorf("got %v", err)
			}
			if data := must[[]byte](t)(afero.ReadFile(fs, "/x/a")); string(data) != "old" {
				t.Errorf("the file holds %q", data)
			}
			if left := must[[]os.FileInfo](t)(afero.ReadDir(fs, "/x")); len(left) != 1 {
				t.Errorf("%d files are there, want the old one", len(left))
			}
		})
	}
}

func TestAHugeFileIsRefused(t *testing.T) {
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "/big", make([]byte, 100<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := exchange.Read(fs, "/big"); err == nil || err.Error() != "/big is larger than 32 MiB" {
		t.Errorf("got %v", err)
	}
}

func TestSettingsAreLines(t *testing.T) {
	in := "\xef\xbb\xbf# comment\r\nA=1\r\nB = two words # note\nC=\"a # b\"\nD='x\"y'\nE=\nF=#none\nG=a#b\nexport " +
		"H=1\nI=\"a\\\"b \\$c\\n\" # note\nJ='$x'"
	env, problems := exchange.ParseEnv(".env", []byte(in))
	want := map[string]string{"A": "1", "B": "two words", "C": "a # b", "D": `x"y`, "E": "", "F": "", "G": "a#b",
		"H": "1", "I": "a\"b $c\n", "J": "$x"}
	if problems != nil || len(env) != len(want) {
		t.Fatalf("%v: %v", env, problems)
	}
	for k, v := range want {
		if env[k] != v {
			t.Errorf("%s is %q, want %q", k, env[k], v)
		}
	}
}

func TestAValueOfSeveralLinesSurvives(t *testing.T) {
	const headers = "X-Gate: it's \\n \"open\"\nX-Cost: $5"
	env, problems := exchange.ParseEnv("x",
		must[[]byte](t)(exchange.EncodeEnv(map[string]string{"MATOMO_HEADERS": headers})))
	if problems != nil || env["MATOMO_HEADERS"] != headers {
		t.Errorf("%q: %v", env, problems)
	}
}

func TestBadLinesAreReported(t *testing.T) {
	_, problems := exchange.ParseEnv(".env", []byte("A=1\nhush\nA=2\n1C=3\nD=\"hush\nE='hush' hush\n"))
	const want = ".env line 2: is not KEY=value; write a setting, or start the line with #\n" +
		".env line 3=\"A\": is set twice; keep only one\n" +
		".env line 4: is not KEY=value; write a setting, or start the line with #\n" +
		".env line 5=\"D\": has an unclosed quote, or text after it; quote the whole value\n" +
		".env line 6=\"E\": has an unclosed quote, or text after it; quote the whole value"
	if err := problems.Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestSettingsOfAnyEditorAreRead(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"UTF-16": "\xff\xfeA\x00=\x001\x00\r\x00\n\x00", "unmarked UTF-16": "A\x00=\x001\x00\r\x00\n\x00",
		"UTF-8 with a mark": "\xef\xbb\xbfA=1\r\n",
	} {
		if env, problems := exchange.ParseEnv(".env", []byte(data)); problems != nil || len(env) != 1 ||
			env["A"] != "1" {
			t.Errorf("%s: %v, %v", name, env, problems)
		}
	}
	_, problems := exchange.ParseEnv(".env", []byte("A=1\nB=\xe9\n"))
	if err := problems.Err(); err == nil || err.Error() != ".env line 2: is not UTF-8; save the file as UTF-8" {
		t.Error(err)
	}
}

func TestWhatCannotBeReadIsNotWritten(t *testing.T) {
	for key, value := range map[string]string{"A": "two\rlines", "B": "\xe9", "no name": "x"} {
		if data, err := exchange.EncodeEnv(map[string]string{key: value}); err == nil {
			t.Errorf("%q=%q is written as %q", key, value, data)
		}
	}
}

func TestAHugeFileOfSettingsIsRefused(t *testing.T) {
	_, problems := exchange.ParseEnv(".env", make([]byte, 100<<20))
	if err := problems.Err(); err == nil ||
		err.Error() != ".env: is larger than 1 MiB; use a file of settings, one per line" {
		t.Errorf("got %v", err)
	}
}

func FuzzEnv(f *testing.F) {
	f.Add("x y", "a'b")
	f.Add("two\nlines", `\n`)
	f.Fuzz(func(t *testing.T, a, b string) {
		data, err := exchange.EncodeEnv(map[string]string{"A": a, "B": b})
		if err != nil {
			return
		}
		env, problems := exchange.ParseEnv("x", data)
		if problems != nil || env["A"] != a || env["B"] != b {
			t.Fatalf("%q %q become %q: %v", a, b, env, problems)
		}
	})
}

func TestOnlyARegularFileIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, dir, "/dev/zero"} { // the first would wait for a writer, the last never end
		if _, err := exchange.Read(afero.NewOsFs(), path); !errors.Is(err, exchange.ErrNotRegular) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRunsThatWereDeletedComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	want := map[string]time.Time{"a": time.Unix(1, 0).UTC(), "nightly-7": time.Unix(2, 0).UTC()}
	data, err := exchange.DeletedRuns{Runs: want}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := exchange.ParseDeleted(data); err != nil || !maps.Equal(got.Runs, want) {
		t.Errorf("%s became %v, %v", data, got, err)
	}
	for _, bad := range []string{`{"runs":{"../a":"2026-11-30T12:00:00Z"}}`, `{"runs":{"":"2026-11-30T12:00:00Z"}}`,
		`[`, `{"runs":["a"]}`} {
		if got, err := exchange.ParseDeleted([]byte(bad)); err == nil {
			t.Errorf("%s is taken as %v", bad, got)
		}
	}
}
