package cli

import (
	"fmt"
	"maps"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

func TestMisspeltSettingsAreReportedBeforeTheFirstHit(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	env := settings(m, map[string]string{"TARGET_VISIT_PER_DAY": "100", "STOP_AFTER_VISIT": "10",
		"BACKFIL_ENABLED": "true", "STOP_AFTER_VISITS": "3", "HOSTNAME": "here"})
	l := start(t, afero.NewMemMapFs(), env)
	l.ends(t, exitcode.OK)
	printed, _, _ := strings.Cut(l.stderr.String(), "msg=settings")
	for key, meant := range map[string]string{"TARGET_VISIT_PER_DAY": "TARGET_VISITS_PER_DAY",
		"STOP_AFTER_VISIT": "STOP_AFTER_VISITS", "BACKFIL_ENABLED": "BACKFILL_ENABLED"} {
		if !strings.Contains(printed, key+": is not a known setting and has no effect; did you mean "+meant+"?") {
			t.Errorf("%s is not printed:\n%s", key, printed)
		}
	}
	if strings.Contains(printed, "HOSTNAME") {
		t.Errorf("an unrelated variable is reported:\n%s", printed)
	}
}

func TestMalformedTokenIsRejectedAndNotSent(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	const typed = "5e1f0ddba11c0ffee5e1f0ddba11c0ff"
	for name, c := range map[string]struct{ wrong, why string }{
		"a zero-width space":    {typed + "\u200b", "has a zero-width space (U+200B) at position 33"},
		"a second line":         {typed + "\n" + typed, "has 2 lines"},
		"the parameter with it": {"token_auth=" + typed, "contains token_auth"},
		"quotes":                {`"` + typed + `"`, "is in quotes"},
		"two words":             {"my " + typed, "has a space"},
		"3 MB":                  {strings.Repeat(typed, 3<<20/len(typed)), "has 3145728 characters"},
	} {
		targets := fmt.Sprintf(`{"targets":[{"name":"a","url":%q,"site_id":1,"token_auth":%q}]}`,
			settings(m, nil)["MATOMO_URL"], c.wrong)
		for place, env := range map[string]map[string]string{
			"MATOMO_TOKEN_AUTH":      {"MATOMO_TOKEN_AUTH": c.wrong},
			"MATOMO_TOKEN_AUTH_FILE": {"MATOMO_TOKEN_AUTH": "", "MATOMO_TOKEN_AUTH_FILE": "/token"},
			"targets.json":           {"EXCHANGE_DIR": "/x"},
			"MULTI_TARGET_CONFIG":    {"MULTI_TARGET_CONFIG": targets},
		} {
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/token", c.wrong)
			if place == "targets.json" {
				write(t, fsys, "/x/targets.json", targets)
			}
			given := settings(m, map[string]string{"STOP_AFTER_VISITS": "1"})
			maps.Copy(given, env)
			l := start(t, fsys, given)
			l.ends(t, exitcode.BadConfig)
			if !l.stderr.has(c.why) || l.stderr.has(typed) {
				t.Errorf("%s in %s: %.300s", name, place, l.stderr.String())
			}
		}
	}
	if n, _ := m.seen(); n > 0 {
		t.Errorf("%d hits were sent", n)
	}
}

func TestMissingExchangeFolderIsRejected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ dir, want string }{
		"missing": {"/none", `EXCHANGE_DIR="/none": cannot be read: open /none: file does not exist; set it to an existing folder that this user can read, or unset it`},
		"a file":  {"/file", `EXCHANGE_DIR="/file": is not a folder; set it to an existing folder that this user can read, or unset it`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/file", "x")
			refused(
				t,
				start(t, fsys, settings(nil, map[string]string{"MATOMO_URL": unreachable, "EXCHANGE_DIR": c.dir})),
				c.want,
			)
		})
	}
}

func TestCheckEnvFileHasLowerPrecedenceThanTheEnvironment(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/my.env", "\ufeffMATOMO_URL=\nMATOMO_TOKEN_AUTH_FILE=/none\nSTOP_AFTER_VISITS=\"5\" # "+
		"few\nTRAFFICINATOR_UID=1000\nRUN_ID=of-the-file\n")
	env := map[string]string{"MATOMO_URL": unreachable, "MATOMO_TOKEN_AUTH": token, "RUN_ID": "of-the-environment"}
	l := start(t, fsys, env, "check", "--env-file", "/my.env")
	l.ends(t, exitcode.OK)
	if !l.stderr.has("RUN_ID=of-the-environment") || !l.stdout.has("planned: 5 visits") ||
		l.stderr.has("TRAFFICINATOR_UID") {
		t.Errorf("%s\n%s", l.stderr.String(), l.stdout.String())
	}
}

func TestCheckWarnsOfQuotesAndCommentsForDockerRun(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/my.env", "MATOMO_URL='"+unreachable+
		"'\nMATOMO_TOKEN_AUTH=\"hunter2\"\nSTOP_AFTER_VISITS=5 # few\nTIMEZONE=\"Europe/Berlin\"\n")
	l := start(t, fsys, nil, "check", "--env-file", "/my.env")
	l.ends(t, exitcode.OK)
	for _, want := range []string{
		"/my.env: MATOMO_TOKEN_AUTH: is in quotes, which docker compose removes but docker run --env-file does not",
		"/my.env: STOP_AFTER_VISITS: contains a comment, which docker compose removes but docker run " +
			"--env-file does not",
	} {
		if !l.stderr.has(want) {
			t.Errorf("%s is not printed:\n%s", want, l.stderr.String())
		}
	}
	if l.stderr.has("TIMEZONE") || l.stderr.has("hunter2") {
		t.Error(l.stderr.String())
	}
}

func TestCheckReadsAPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // only read
	if _, err := w.WriteString("STOP_AFTER_VISITS=5\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := start(t, afero.NewOsFs(), map[string]string{"MATOMO_URL": unreachable}, "check", "--env-file",
		fmt.Sprintf("/dev/fd/%d", r.Fd()))
	l.ends(t, exitcode.OK)
	if !l.stdout.has("planned: 5 visits") {
		t.Errorf("%s\n%s", l.stderr.String(), l.stdout.String())
	}
}

func TestDefaultTelemetryPortInUseDoesNotStopARun(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	// Where another program has the default already, so much the better.
	if taken, err := net.Listen("tcp", "127.0.0.1:8010"); err == nil {
		defer taken.Close() //nolint:errcheck // nothing is sent
	}
	env := settings(m, map[string]string{"STOP_AFTER_VISITS": "3"})
	delete(env, "TELEMETRY_ADDR")
	l := start(t, afero.NewMemMapFs(), env)
	l.ends(t, exitcode.OK)
	recorded(t, l.summary(t), m)
	if !l.stderr.has("TELEMETRY_ADDR is not set and 127.0.0.1:8010 is in use") {
		t.Errorf("the port in use is not logged:\n%s", l.stderr.String())
	}
	env["TELEMETRY_ADDR"] = "127.0.0.1:8010"
	l = start(t, afero.NewMemMapFs(), env)
	l.ends(t, exitcode.BadConfig)
}

func TestDefaultFilesOfTheOriginalMayBeMissing(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	for key, paths := range map[string][]string{"URLS_FILE": {"/config/urls.txt", "/app/data/urls.txt"},
		"FUNNEL_CONFIG_PATH": {"/app/data/funnels.json"}} {
		for _, path := range paths {
			l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"STOP_AFTER_VISITS": "1", key: path}))
			l.ends(t, exitcode.OK)
			if want := fmt.Sprintf("%s=%q: does not exist and is ignored", key,
				path); !strings.Contains(strings.ReplaceAll(l.stderr.String(), `\`, ""), want) {
				t.Errorf("%s is not printed:\n%s", want, l.stderr.String())
			}
		}
	}
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/config/urls.txt", "https://shop.example.test/kept\tKept\n")
	l := start(t, fsys, settings(m, map[string]string{"STOP_AFTER_VISITS": "1", "URLS_FILE": "/config/urls.txt"}))
	l.ends(t, exitcode.OK)
	if m.Counts().Total.Titles["Kept"] == 0 {
		t.Error("the file that is there is not read")
	}
}
