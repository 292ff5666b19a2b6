// Package testbed gives tests what lies outside the code: the programs and images of this repository, and a Docker
// engine. It knows no package of the services.
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
	"sync"
	"syscall"
	"testing"
	"time"
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

// Certificate writes a certificate that is its own authority, and its key, into dir as name.pem and name.key, and
// returns their paths.
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

// Patience bounds every wait; only a test that fails waits so long.
const WaitLimit = 3 * time.Minute

// WaitFor asks until the answer is yes.
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
