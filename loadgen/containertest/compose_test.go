package containertest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

func needsCompose(t *testing.T) {
	t.Helper()
	testbed.NeedsLoadgenImage(t)
	testbed.NeedsCompose(t)
}

// project writes what a user would change: a preset with a target, folders, and, for the test, the sink's network.
func project(t *testing.T, sink counterpart, settings string) (dir string, args []string) {
	t.Helper()
	dir = t.TempDir()
	for _, folder := range []string{"data/exchange", "data/state"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	preset, err := os.ReadFile(filepath.Join(testbed.Root(), "presets", ".env.light"))
	if err != nil {
		t.Fatal(err)
	}
	env := string(preset) + fmt.Sprintf("TRAFFICINATOR_UID=%d\nTRAFFICINATOR_GID=%d\nLOADGEN_IMAGE=%s\n%s\n",
		os.Getuid(), os.Getgid(), testbed.LoadgenImage, settings)
	meet := fmt.Sprintf("networks: {default: {name: %s, external: true}}\n", sink.network)
	for name, text := range map[string]string{"settings.env": env, "network.yml": meet} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args = []string{
		"compose", "--project-directory", dir, "--project-name", unique("compose"), "--env-file",
		filepath.Join(dir, "settings.env"),
		"--file", filepath.Join(testbed.Root(), "docker-compose.yml"), "--file", filepath.Join(dir, "network.yml"),
	}
	t.Cleanup(func() { testbed.Docker(t, append(args, "down", "--volumes")...) })
	return dir, args
}

func TestComposeRunsAPresetToItsEndAndLeavesItFinished(t *testing.T) {
	t.Parallel()
	needsCompose(t)
	sink := startSink(t, "compose")
	const token = "0123456789abcdef0123456789abcdef"
	dir, compose := project(t, sink,
		"MATOMO_URL="+sink.inside+
			"\nSTOP_AFTER_VISITS=20\nTARGET_VISITS_PER_DAY=1e6\nPAUSE_BETWEEN_PVS_MAX=0\nPAUSE_BETWEEN_PVS_MIN=0\n"+
			"SUMMARY_FILE=/app/state/summary.json\nMATOMO_TOKEN_AUTH="+token)
	testbed.Docker(t, append(compose, "up", "--no-build", "--detach")...)
	container := testbed.Docker(t, append(compose, "ps", "--all", "--quiet", "loadgen")...)
	if code := testbed.Docker(t, "wait", container); code != "0" {
		t.Errorf("exit code %s, want 0\n%s", code, testbed.Docker(t, append(compose, "logs")...))
	}
	if got := inspect(t, container,
		"{{.HostConfig.RestartPolicy.Name}} {{.RestartCount}} {{.State.Status}}"); got != "no 0 exited" {
		t.Errorf("a finished run should stay finished, got %q", got)
	}
	if everything := testbed.Docker(t, "inspect", container); strings.Contains(everything, token) {
		t.Error("the token can be read by whoever may inspect the container")
	}
	s := readSummary(t, filepath.Join(dir, "data", "state", "summary.json"))
	s.sent(t, 20)
	s.recorded(t, sink)
}

func TestComposeRefusesToStartWithoutATarget(t *testing.T) {
	t.Parallel()
	needsCompose(t)
	_, compose := project(t, startSink(t, "compose"), "")
	testbed.Docker(t, append(compose, "up", "--no-build", "--detach")...)
	container := testbed.Docker(t, append(compose, "ps", "--all", "--quiet", "loadgen")...)
	code, logs := testbed.Docker(t, "wait", container), testbed.Docker(t, append(compose, "logs")...)
	if want := "error: MATOMO_URL: is not set; set it to the tracker URL, such as https://host/matomo.php"; code != "2" ||
		!strings.Contains(logs, want) {
		t.Errorf("exit code %s, want 2 and %q\n%s", code, want, logs)
	}
}

func TestComposeTakesSeveralTargets(t *testing.T) {
	t.Parallel()
	needsCompose(t)
	sink := startSink(t, "compose")
	many := fmt.Sprintf(`{"targets":[{"name":"a","url":%[1]q,"site_id":1},{"name":"b","url":%[1]q,"site_id":2}]}`,
		sink.inside)
	dir, compose := project(t, sink,
		"STOP_AFTER_VISITS=6\nTARGET_VISITS_PER_DAY=1e6\nPAUSE_BETWEEN_PVS_MAX=0\nPAUSE_BETWEEN_PVS_MIN=0\n"+
			"SUMMARY_FILE=/app/state/summary.json\nMULTI_TARGET_CONFIG='"+many+"'")
	testbed.Docker(t, append(compose, "up", "--no-build", "--detach")...)
	container := testbed.Docker(t, append(compose, "ps", "--all", "--quiet", "loadgen")...)
	if code := testbed.Docker(t, "wait", container); code != "0" {
		t.Fatalf("exit code %s, want 0\n%s", code, testbed.Docker(t, append(compose, "logs")...))
	}
	s := readSummary(t, filepath.Join(dir, "data", "state", "summary.json"))
	s.sent(t, 6)
	s.recorded(t, sink)
}

// The headless stack is a project of its own: as another loadgen of the web stack it would replace the one that runs
// there.
func TestTheTwoComposeFilesAreTwoProjectsWithLimits(t *testing.T) {
	t.Parallel()
	testbed.NeedsCompose(t)
	type service struct {
		Restart   string
		MemLimit  string `json:"mem_limit"`
		PidsLimit int    `json:"pids_limit"`
		Logging   struct {
			Driver  string
			Options map[string]string
		}
		Ports []struct{ Published string }
		Build struct{ Args map[string]string }
	}
	projects := map[string]bool{}
	for file, want := range map[string]struct {
		variables, restart, port string
	}{
		"docker-compose.yml":       {"RESTART_POLICY=unless-stopped\n", "unless-stopped", ""},
		"docker-compose.webui.yml": {"CONTROL_UI_PORT=24501\n", "no", "24501"},
	} {
		env := filepath.Join(t.TempDir(), "settings.env")
		if err := os.WriteFile(env, []byte(want.variables+"VERSION=v9\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var project struct {
			Name     string
			Services map[string]service
		}
		text := testbed.Docker(t, "compose", "--env-file", env, "--file", filepath.Join(testbed.Root(), file), "config",
			"--format", "json")
		if err := json.Unmarshal([]byte(text), &project); err != nil {
			t.Fatal(err)
		}
		projects[project.Name] = true
		for name, s := range project.Services {
			if s.MemLimit == "" || s.PidsLimit == 0 || s.Logging.Driver != "json-file" ||
				s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
				t.Errorf("%s: %s lacks a limit: %+v", file, name, s)
			}
			if s.Build.Args["VERSION"] != "v9" {
				t.Errorf("%s: %s is built without its version: %v", file, name, s.Build)
			}
			if name == "controller" && s.Ports[0].Published != want.port {
				t.Errorf("the controller is published at %+v", s.Ports)
			}
			if name == "loadgen" && s.Restart != want.restart {
				t.Errorf("%s: the loadgen is restarted: %s", file, s.Restart)
			}
		}
	}
	if len(projects) != 2 {
		t.Errorf("the projects are %v", projects)
	}
}
