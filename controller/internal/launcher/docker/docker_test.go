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

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// stack returns a runtime with a unique name for its container and label.
func stack(t *testing.T, change func(*docker.Config)) (*docker.Docker, docker.Config) {
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
	return d, c
}

// labelled returns docker arguments for a container of ours.
func labelled(c docker.Config, args ...string) []string {
	return append(args, "--name", c.Name, "--label", docker.RoleLabel+"=loadgen", "--label",
		docker.StackLabel+"="+c.Stack,
		"--env", "AUTO_START=false", "--env", "TELEMETRY_ADDR=:8010", "--user", c.User)
}

// healed heals and checks that only a new container is left, and runs under our name.
func healed(t *testing.T, d *docker.Docker, c docker.Config) {
	t.Helper()
	before := d.Status(t.Context())
	if !before.Healable || before.Reason == "" {
		t.Fatalf("want healable with a reason, got %+v", before)
	}
	did, err := d.Heal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(did, "heal it") {
		t.Errorf("want no fix after the heal, got %s", did)
	}
	after := d.Status(t.Context())
	if after.State != launcher.Running || after.Name != c.Name || after.Telemetry == "" {
		t.Errorf("want it to run under its name (%s), got %+v", did, after)
	}
	if left := testbed.Docker(t, "ps", "--all", "--quiet", "--no-trunc", "--filter",
		"label="+docker.StackLabel+"="+c.Stack); left != after.ID {
		t.Errorf("want only the new container, got %s", left)
	}
}

func TestHealCreatesAMissingContainer(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	if st := d.Status(t.Context()); st.State != launcher.Missing {
		t.Errorf("want missing, got %+v", st)
	}
	healed(t, d, c)
}

func TestContainerThatNeverStartedIsExplainedAndReplaced(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	testbed.Docker(t, append(labelled(c, "create", "--env", "CONCURRENCY=7"), testbed.LoadgenImage)...)
	if st := d.Status(t.Context()); st.State != launcher.Created || !strings.Contains(st.Reason, "never started") {
		t.Errorf("want created with a reason, got %+v", st)
	}
	healed(t, d, c)
	if env := testbed.Docker(t, "inspect", "--format", "{{.Config.Env}}", c.Name); !strings.Contains(env,
		"CONCURRENCY=7") {
		t.Errorf("want its own environment to be kept, got %s", env)
	}
}

func TestContainerWithoutItsNetworkIsExplainedAndReplaced(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	testbed.Docker(t, "network", "create", c.Name)
	testbed.Docker(t, append(labelled(c, "create", "--network", c.Name), testbed.LoadgenImage)...)
	testbed.Docker(t, "network", "rm", c.Name)
	if err := d.Start(t.Context()); !errors.Is(err, launcher.ErrInvalidState) {
		t.Errorf("want ErrInvalidState, got %v", err)
	}
	if st := d.Status(t.Context()); !strings.Contains(st.Reason, "network "+c.Name+" no longer exists") {
		t.Errorf("want the name of the network, got %+v", st)
	}
	healed(t, d, c)
}

func TestContainerThatDoesNotReadSettingsIsRecreated(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	old := testbed.Docker(t, append(labelled(c, "create", "--env", "AUTO_START=false", "--env", "MINE=1"),
		testbed.LoadgenImage)...)
	testbed.Docker(t, "start", old)
	testbed.Docker(t, "stop", old)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	env := testbed.Docker(t, "inspect", "--format", "{{.Config.Env}}", c.Name)
	if !strings.Contains(env, "LOADGEN_ENV_FILE=/app/data/loadgen.env") || !strings.Contains(env, "MINE=1") {
		t.Errorf("got the environment %s", env)
	}
}

func TestNewImageIsUsedAtTheNextStart(t *testing.T) {
	t.Parallel()
	testbed.NeedsLoadgenImage(t)
	image := "trafficinator-test:" + strings.ToLower(rand.Text()[:10])
	testbed.Docker(t, "tag", testbed.LoadgenImage, image)
	t.Cleanup(func() { testbed.Docker(t, "rmi", image) })
	d, c := stack(t, func(c *docker.Config) { c.Image = image })
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	newer := testbed.Docker(t, "commit", c.Name, image)
	before := d.Status(t.Context())
	if before.State != launcher.Running || !strings.Contains(before.Reason, "its image is older") {
		t.Errorf("want a reason that names the older image, got %+v", before)
	}
	if err := errors.Join(d.Stop(t.Context(), time.Minute), d.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	if after := d.Status(t.Context()); after.ID == before.ID || after.State != launcher.Running ||
		after.Reason != "" {
		t.Errorf("want a new container, got %+v", after)
	}
	if made := testbed.Docker(t, "inspect", "--format", "{{.Image}}", c.Name); made != newer {
		t.Errorf("got image %s, the new image is %s", made, newer)
	}
}

func TestPlanLeavesNoContainerAndReplacesAnOldOne(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	left := testbed.Docker(t, "create", "--name", c.Name+"-plan", "--label", docker.RoleLabel+"=plan", "--label",
		docker.StackLabel+"="+c.Stack, testbed.LoadgenImage)
	if printed, err := d.Plan(t.Context(), map[string][]byte{"loadgen.env": []byte("AUTO_START=false\n")},
		"--estimate"); err != nil || printed.ExitCode != 0 {
		t.Fatalf("with %s left: %+v, %v", left, printed, err)
	}
	if there := testbed.Docker(t, "ps", "--all", "--quiet", "--filter",
		"label="+docker.StackLabel+"="+c.Stack); there != "" {
		t.Errorf("want no container left, got %s", there)
	}
	testbed.Docker(t, "create", "--name", c.Name+"-plan", testbed.LoadgenImage)
	if _, err := d.Plan(t.Context(), nil); !errors.Is(err, launcher.ErrForeign) {
		t.Errorf("want ErrForeign for a container that is not ours, got %v", err)
	}
}

func TestPausedContainerIsHealedAndStopped(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	if testbed.Docker(t, "info", "--format", "{{.CgroupDriver}}") == "none" {
		t.Skip("the engine is rootless without cgroups, so it cannot pause a container")
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	testbed.Docker(t, "pause", c.Name)
	if st := d.Status(t.Context()); st.State != launcher.Paused {
		t.Errorf("want paused, got %+v", st)
	}
	if err := d.Start(t.Context()); !errors.Is(err, launcher.ErrInvalidState) {
		t.Errorf("want ErrInvalidState, got %v", err)
	}
	healed(t, d, c)
	testbed.Docker(t, "pause", c.Name)
	if err := d.Stop(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if st := d.Status(t.Context()); st.State != launcher.Exited || st.ExitCode != 0 {
		t.Errorf("want a paused loadgen to drain, got %+v", st)
	}
}

func TestFailedHealKeepsTheOldContainer(t *testing.T) {
	t.Parallel()
	d, c := stack(t, func(c *docker.Config) { c.HealTimeout = 3 * time.Minute }) // this machine may be slow to end it
	testbed.Docker(t, append(labelled(c, "create", "--env", "AUTO_START=true", "--env", "CONCURRENCY=0"),
		testbed.LoadgenImage)...)
	before := d.Status(t.Context())
	if did, err := d.Heal(t.Context()); !errors.Is(err, launcher.ErrInvalidState) {
		t.Fatalf("want an error because the new one ends at once, got %q, %v", did, err)
	}
	if after := d.Status(t.Context()); after.ID != before.ID || after.Name != c.Name ||
		after.State != launcher.Created {
		t.Errorf("want the old container back: %+v, now %+v", before, after)
	}
}

func TestForeignContainerIsNotTouched(t *testing.T) {
	t.Parallel()
	d, c := stack(t, nil)
	id := testbed.Docker(t, "run", "--detach", "--name", c.Name, "--env", "AUTO_START=false", testbed.LoadgenImage)
	if st := d.Status(t.Context()); st.State != launcher.Foreign || st.Healable || st.Telemetry != "" {
		t.Errorf("want foreign, got %+v", st)
	}
	for what, err := range map[string]error{
		"start": d.Start(t.Context()), "stop": d.Stop(t.Context(), time.Second),
	} {
		if !errors.Is(err, launcher.ErrForeign) ||
			!strings.Contains(err.Error(), "set LOADGEN_CONTAINER to another name") {
			t.Errorf("%s: want %v with the fix, got %v", what, launcher.ErrForeign, err)
		}
	}
	if _, err := d.Heal(t.Context()); !errors.Is(err, launcher.ErrForeign) {
		t.Errorf("heal: want %v, got %v", launcher.ErrForeign, err)
	}
	if got := testbed.Docker(t, "inspect", "--format", "{{.Id}} {{.State.Status}}", c.Name); got != id+" running" {
		t.Errorf("want it unchanged, got %s", got)
	}
}

func TestMissingImageIsReported(t *testing.T) {
	t.Parallel()
	d, _ := stack(t, func(c *docker.Config) { c.Image = "trafficinator-nothing:none" })
	if st := d.Status(t.Context()); st.State != launcher.Missing || st.Healable ||
		!strings.Contains(st.Reason, "LOADGEN_IMAGE") {
		t.Errorf("want missing with the fix, got %+v", st)
	}
	if err := d.Start(t.Context()); !errors.Is(err, launcher.ErrMissing) {
		t.Errorf("want %v, got %v", launcher.ErrMissing, err)
	}
}

func TestUnavailableEngineIsAStateAndAnError(t *testing.T) {
	t.Parallel()
	d, err := docker.New(docker.Config{
		Engine: docker.Engine{Host: "unix://" + filepath.Join(t.TempDir(), "none.sock")}, Name: "x", Stack: "x",
		Image: testbed.LoadgenImage,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckUsable(t.Context()); !errors.Is(err, launcher.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, got %v", err)
	}
	if st := d.Status(t.Context()); st.State != launcher.Unavailable || !strings.Contains(st.Reason, "DOCKER_GID") {
		t.Errorf("want unavailable with the fix, got %+v", st)
	}
	for what, err := range map[string]error{"start": d.Start(t.Context()), "stop": d.Stop(t.Context(), time.Second)} {
		if !errors.Is(err, launcher.ErrUnavailable) {
			t.Errorf("%s: want %v, got %v", what, launcher.ErrUnavailable, err)
		}
	}
}
