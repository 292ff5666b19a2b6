// Package testbed gives tests the programs and images of this repository and a Docker engine.
package testbed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Bin is the environment variable in which make passes the folder of the programs that it has just built; the images are up
// to date too. If it is not set, as when a test is run by hand, make builds what a test needs.
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

// Loadgen returns the path of the loadgen.
func Loadgen(t testing.TB) string { return must(t, loadgen) }

// Controller returns the path of the controller.
func Controller(t testing.TB) string { return must(t, controller) }

func must(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildID has a checksum of the programs: go test repeats a test if a variable that it has read changes.
const buildID = "TRAFFICINATOR_BUILD"

func program(name string) (string, error) {
	_ = os.Getenv(buildID)
	if dir := os.Getenv(Bin); dir != "" {
		return filepath.Join(dir, name), nil
	}
	return filepath.Join(Root(), "bin", name), build("bin/" + name)
}

// build runs make. Test binaries of several packages may do so at the same time.
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

// Certificate writes a self-signed certificate and its key into dir as name.pem and name.key, and returns their paths.
func Certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, &form, &form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(file, kind string, data []byte) string {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write(name+".pem", "CERTIFICATE", signed), write(name+".key", "PRIVATE KEY", encoded)
}

// WaitLimit bounds every wait; only a failing test waits that long.
const WaitLimit = 3 * time.Minute

// WaitFor waits until yes returns true.
func WaitFor(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), WaitLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain: %s", WaitLimit, what)
		}
	}
}

// GetJSON reads url into v and reports whether it answered.
func GetJSON(t *testing.T, url string, v any) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return true
}

// NoImages is the environment variable in which make says why it has built no images.
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

// NeedsLoadgenImage builds the image of the loadgen; it skips the test without an engine.
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

// NeedsCompose skips the test if the Docker client has no compose plugin.
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

// TryDocker runs the Docker client and returns its output. The error contains its error output.
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
