package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// NoImages names the environment variable in which make says why it has built no images, where that is so.
const NoImages = "TRAFFICINATOR_NO_IMAGES"

// LoadgenImage and ControllerImage are the images that make builds.
const (
	LoadgenImage    = "trafficinator-loadgen:local"
	ControllerImage = "trafficinator-controller:local"
)

var (
	engine          = sync.OnceValue(func() error { _, err := TryDocker("info"); return err })
	loadgenImage    = sync.OnceValue(func() error { return image("image-loadgen") })
	controllerImage = sync.OnceValue(func() error { return image("image-controller") })
)

// NeedsLoadgenImage sees to it that the image of the loadgen is there; it skips the test where there is no engine.
func NeedsLoadgenImage(t testing.TB) {
	t.Helper()
	needs(t, loadgenImage)
}

// NeedsImages is NeedsLoadgenImage for both images.
func NeedsImages(t testing.TB) {
	t.Helper()
	needs(t, loadgenImage)
	needs(t, controllerImage)
}

func needs(t testing.TB, build func() error) {
	t.Helper()
	if why := os.Getenv(NoImages); why != "" {
		t.Skip(why)
	}
	if engine() != nil {
		t.Skip("no Docker engine answers")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
}

// NeedsCompose skips the test where the Docker client has no compose plugin.
func NeedsCompose(t testing.TB) {
	t.Helper()
	if _, err := TryDocker("compose", "version"); err != nil {
		t.Skip("the Docker client has no compose plugin")
	}
}

func image(target string) error {
	if os.Getenv(Bin) != "" {
		return nil
	}
	return build(target)
}

// Client is the Docker client that make chose, else the one in PATH.
func Client() string {
	if name := os.Getenv("DOCKER"); name != "" {
		return name
	}
	return "docker"
}

// TryDocker runs the Docker client and returns what it printed. The error holds what it complained of.
func TryDocker(args ...string) (string, error) {
	cmd := exec.Command(Client(), args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, complaints.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Docker is TryDocker for a test that fails with it.
func Docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := TryDocker(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
