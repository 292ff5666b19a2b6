package docker_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
	"github.com/puttrix/trafficinator/controller/internal/launcher/launchertest"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// stack is a name that no other test has, for a container and its label.
func stack(t *testing.T, change func(*docker.Config)) (launchertest.Subject, docker.Config) {
	t.Helper()
	testbed.NeedsLoadgenImage(t)
	dir := t.TempDir()
	for _, folder := range []string{"exchange", "state"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	name := "trafficinator-test-" + strings.ToLower(rand.Text()[:10])
	c := docker.Config{
		Engine: docker.Engine{Host: os.Getenv("DOCKER_HOST")}, Name: name, Stack: name, Image: testbed.LoadgenImage,
		Exchange: filepath.Join(dir, "exchange"), State: filepath.Join(dir, "state"),
		User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()),
	}
	if change != nil {
		change(&c)
	}
	d, err := docker.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for id := range strings.FieldsSeq(testbed.Docker(t, "ps", "--all", "--quiet", "--filter", "name="+name)) {
			testbed.Docker(t, "rm", "--force", id)
		}
		if err := d.Close(context.Background(), 0); err != nil {
			t.Error(err)
		}
	})
	fsys := afero.NewOsFs()
	return launchertest.Subject{
		Port: d, Jobs: d, State: c.State, FS: fsys,
		Publish: func(t *testing.T, values map[string]string) { launchertest.Publish(t, fsys, c.Exchange, values) },
		PublishJob: func(t *testing.T, id string, values map[string]string) {
			launchertest.Publish(t, fsys, filepath.Join(c.Exchange, exchange.JobFolder(id)), values)
		},
		Kill: func(t *testing.T, s launcher.Status) { testbed.Docker(t, "kill", s.ID) },
	}, c
}

func TestAContainerDoesWhatEveryRuntimeDoes(t *testing.T) {
	t.Parallel()
	launchertest.Run(t, func(t *testing.T) launchertest.Subject { s, _ := stack(t, nil); return s })
}

// labelled are arguments for a container that is ours.
func labelled(c docker.Config, args ...string) []string {
	return append(args, "--name", c.Name, "--label", docker.RoleLabel+"=loadgen", "--label",
		docker.StackLabel+"="+c.Stack,
		"--env", "AUTO_START=false", "--env", "TELEMETRY_ADDR=:8010", "--user", c.User)
}

// healed heals and checks that a new container, and no other, runs under our name.
func healed(t *testing.T, s launchertest.Subject, c docker.Config) {
	t.Helper()
	before := s.Port.Status(t.Context())
	if !before.Healable || before.Reason == "" {
		t.Fatalf("it should say what is wrong and that it can be healed: %+v", before)
	}
	did, err := s.Port.Heal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(did, "heal it") {
		t.Errorf("it is healed, and says: %s", did)
	}
	after := s.Port.Status(t.Context())
	if after.State != launcher.Running || after.Name != c.Name || after.Telemetry == "" {
		t.Errorf("it should run under its name (%s): %+v", did, after)
	}
	if left := testbed.Docker(t, "ps", "--all", "--quiet", "--no-trunc", "--filter",
		"label="+docker.StackLabel+"="+c.Stack); left != after.ID {
		t.Errorf("only the new container should be left, got %s", left)
	}
}

func TestAMissingContainerIsMadeByAHeal(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	if st := s.Port.Status(t.Context()); st.State != launcher.Missing {
		t.Errorf("want missing, got %+v", st)
	}
	healed(t, s, c)
}

func TestAContainerThatNeverStartedIsExplainedAndReplaced(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	testbed.Docker(t, append(labelled(c, "create", "--env", "CONCURRENCY=7"), testbed.LoadgenImage)...)
	if st := s.Port.Status(t.Context()); st.State != launcher.Created || !strings.Contains(st.Reason, "never started") {
		t.Errorf("want created and why, got %+v", st)
	}
	healed(t, s, c)
	if env := testbed.Docker(t, "inspect", "--format", "{{.Config.Env}}", c.Name); !strings.Contains(env,
		"CONCURRENCY=7") {
		t.Errorf("what it was made with should be kept: %s", env)
	}
}

func TestAContainerWhoseNetworkIsGoneIsExplainedAndReplaced(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	testbed.Docker(t, "network", "create", c.Name)
	testbed.Docker(t, append(labelled(c, "create", "--network", c.Name), testbed.LoadgenImage)...)
	testbed.Docker(t, "network", "rm", c.Name)
	if err := s.Port.Start(t.Context()); !errors.Is(err, launcher.ErrInvalidState) {
		t.Errorf("want an error that says it is stuck, got %v", err)
	}
	if st := s.Port.Status(t.Context()); !strings.Contains(st.Reason, "network "+c.Name+" no longer exists") {
		t.Errorf("it should name the network: %+v", st)
	}
	healed(t, s, c)
}

func TestAContainerThatReadsNoSettingsIsMadeAnew(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	old := testbed.Docker(t, append(labelled(c, "create", "--env", "AUTO_START=false", "--env", "MINE=1"),
		testbed.LoadgenImage)...)
	testbed.Docker(t, "start", old)
	testbed.Docker(t, "stop", old)
	if err := s.Port.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	env := testbed.Docker(t, "inspect", "--format", "{{.Config.Env}}", c.Name)
	if !strings.Contains(env, "LOADGEN_ENV_FILE=/app/data/loadgen.env") || !strings.Contains(env, "MINE=1") {
		t.Errorf("the container has the environment %s", env)
	}
}

func TestANewImageIsTakenAtTheNextStart(t *testing.T) {
	t.Parallel()
	testbed.NeedsLoadgenImage(t)
	image := "trafficinator-test:" + strings.ToLower(rand.Text()[:10])
	testbed.Docker(t, "tag", testbed.LoadgenImage, image)
	t.Cleanup(func() { testbed.Docker(t, "rmi", image) })
	s, c := stack(t, func(c *docker.Config) { c.Image = image })
	if err := s.Port.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	newer := testbed.Docker(t, "commit", c.Name, image)
	before := s.Port.Status(t.Context())
	if before.State != launcher.Running || !strings.Contains(before.Reason, "its image is older") {
		t.Errorf("it should say so while it runs: %+v", before)
	}
	if err := s.Port.Restart(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if after := s.Port.Status(t.Context()); after.ID == before.ID || after.State != launcher.Running ||
		after.Reason != "" {
		t.Errorf("it should be a new one: %+v", after)
	}
	if made := testbed.Docker(t, "inspect", "--format", "{{.Image}}", c.Name); made != newer {
		t.Errorf("it is of %s, the new image is %s", made, newer)
	}
}

func TestAnOutlineLeavesNoContainerAndReplacesWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	left := testbed.Docker(t, "create", "--name", c.Name+"-plan", "--label", docker.RoleLabel+"=plan", "--label",
		docker.StackLabel+"="+c.Stack, testbed.LoadgenImage)
	if printed, err := s.Port.Plan(t.Context(), map[string][]byte{"loadgen.env": []byte("AUTO_START=false\n")},
		"--estimate"); err != nil || printed.ExitCode != 0 {
		t.Fatalf("beside %s: %+v, %v", left, printed, err)
	}
	if there := testbed.Docker(t, "ps", "--all", "--quiet", "--filter",
		"label="+docker.StackLabel+"="+c.Stack); there != "" {
		t.Errorf("left behind: %s", there)
	}
	testbed.Docker(t, "create", "--name", c.Name+"-plan", testbed.LoadgenImage)
	if _, err := s.Port.Plan(t.Context(), nil); !errors.Is(err, launcher.ErrForeign) {
		t.Errorf("a container that is not ours should be left alone, got %v", err)
	}
}

func TestAPausedContainerIsAwakenedAndStops(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	if testbed.Docker(t, "info", "--format", "{{.CgroupDriver}}") == "none" {
		t.Skip("the engine is rootless without cgroups, so that it cannot pause a container")
	}
	if err := s.Port.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	testbed.Docker(t, "pause", c.Name)
	if st := s.Port.Status(t.Context()); st.State != launcher.Paused {
		t.Errorf("want paused, got %+v", st)
	}
	if err := s.Port.Start(t.Context()); !errors.Is(err, launcher.ErrInvalidState) {
		t.Errorf("want an error that says it is stuck, got %v", err)
	}
	healed(t, s, c)
	testbed.Docker(t, "pause", c.Name)
	if err := s.Port.Stop(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if st := s.Port.Status(t.Context()); st.State != launcher.Exited || st.ExitCode != 0 {
		t.Errorf("a paused loadgen should be awakened to drain: %+v", st)
	}
}

func TestAHealThatFailsLeavesTheOldContainerInItsPlace(t *testing.T) {
	t.Parallel()
	s, c := stack(t, func(c *docker.Config) { c.HealTimeout = 3 * time.Minute }) // this machine may be slow to end it
	testbed.Docker(t, append(labelled(c, "create", "--env", "AUTO_START=true", "--env", "CONCURRENCY=0"),
		testbed.LoadgenImage)...)
	before := s.Port.Status(t.Context())
	if did, err := s.Port.Heal(t.Context()); !errors.Is(err, launcher.ErrInvalidState) {
		t.Fatalf("the new one ends at once, so healing should fail, got %q, %v", did, err)
	}
	if after := s.Port.Status(t.Context()); after.ID != before.ID || after.Name != c.Name ||
		after.State != launcher.Created {
		t.Errorf("the old one should be back: %+v, now %+v", before, after)
	}
}

func TestAContainerThatIsNotOursIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, c := stack(t, nil)
	id := testbed.Docker(t, "run", "--detach", "--name", c.Name, "--env", "AUTO_START=false", testbed.LoadgenImage)
	if st := s.Port.Status(t.Context()); st.State != launcher.Foreign || st.Healable || st.Telemetry != "" {
		t.Errorf("want foreign, got %+v", st)
	}
	for what, err := range map[string]error{
		"start": s.Port.Start(t.Context()), "stop": s.Port.Stop(t.Context(), time.Second),
		"restart": s.Port.Restart(t.Context(), time.Second),
	} {
		if !errors.Is(err, launcher.ErrForeign) ||
			!strings.Contains(err.Error(), "set LOADGEN_CONTAINER to another name") {
			t.Errorf("%s: want %v and the cure, got %v", what, launcher.ErrForeign, err)
		}
	}
	if _, err := s.Port.Heal(t.Context()); !errors.Is(err, launcher.ErrForeign) {
		t.Errorf("heal: want %v, got %v", launcher.ErrForeign, err)
	}
	if got := testbed.Docker(t, "inspect", "--format", "{{.Id}} {{.State.Status}}", c.Name); got != id+" running" {
		t.Errorf("it should be as it was, got %s", got)
	}
}

func TestWithoutTheImageThereIsNothingToMakeItFrom(t *testing.T) {
	t.Parallel()
	s, _ := stack(t, func(c *docker.Config) { c.Image = "trafficinator-nothing:none" })
	if st := s.Port.Status(t.Context()); st.State != launcher.Missing || st.Healable ||
		!strings.Contains(st.Reason, "LOADGEN_IMAGE") {
		t.Errorf("want missing and the cure, got %+v", st)
	}
	if err := s.Port.Start(t.Context()); !errors.Is(err, launcher.ErrMissing) {
		t.Errorf("want %v, got %v", launcher.ErrMissing, err)
	}
}

func TestAnEngineThatIsAwayIsAStateAndAnError(t *testing.T) {
	t.Parallel()
	d, err := docker.New(docker.Config{
		Engine: docker.Engine{Host: "unix://" + filepath.Join(t.TempDir(), "none.sock")}, Name: "x", Stack: "x",
		Image: testbed.LoadgenImage,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckUsable(t.Context()); !errors.Is(err, launcher.ErrUnavailable) {
		t.Errorf("nothing is there to answer: %v", err)
	}
	if st := d.Status(t.Context()); st.State != launcher.Unavailable || !strings.Contains(st.Reason, "DOCKER_GID") {
		t.Errorf("want unavailable and the cure, got %+v", st)
	}
	for what, err := range map[string]error{"start": d.Start(t.Context()), "stop": d.Stop(t.Context(), time.Second)} {
		if !errors.Is(err, launcher.ErrUnavailable) {
			t.Errorf("%s: want %v, got %v", what, launcher.ErrUnavailable, err)
		}
	}
}
