// Package testbed gives tests what lies outside the code: the programs and images of this repository, and a Docker
// engine. It knows no package of the services.
package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Bin names the environment variable in which make hands over the folder of the programs that it has just built; the
// images are as new. Where it is not set, as when a test is run by hand, make builds what a test asks for.
const Bin = "TRAFFICINATOR_BIN"

// Root is the folder of the repository.
var Root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err) // a test always has a working directory
	}
	for dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	panic("no folder above this one has a go.work: run the tests inside the repository")
})

var (
	loadgen    = sync.OnceValues(func() (string, error) { return program("loadgen") })
	controller = sync.OnceValues(func() (string, error) { return program("controller") })
)

// Loadgen is the file of the loadgen as people run it.
func Loadgen(t testing.TB) string { return must(t, loadgen) }

// Controller is the file of the controller as people run it.
func Controller(t testing.TB) string { return must(t, controller) }

func must(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildID names the environment variable with a sum of the programs: go test runs a test again where what it has asked
// of the environment is new.
const buildID = "TRAFFICINATOR_BUILD"

func program(name string) (string, error) {
	_ = os.Getenv(buildID)
	if dir := os.Getenv(Bin); dir != "" {
		return filepath.Join(dir, name), nil
	}
	return filepath.Join(Root(), "bin", name), build("bin/" + name)
}

// build has make build a target. Test binaries of several packages may ask at once.
func build(target string) error {
	dir := filepath.Join(Root(), "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // nothing is written
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if out, err := exec.Command("make", "-C", Root(), target).CombinedOutput(); err != nil {
		return fmt.Errorf("make %s: %w\n%s", target, err, out)
	}
	return nil
}
