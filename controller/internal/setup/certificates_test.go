package setup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// copies are the names and contents of the certificates and keys in a folder of the exchange folder.
func (b bench) copies(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob(filepath.Join(b.dir, "exchange", dir, exchange.TLSFolder, "*"))
	must(t, err)
	for _, file := range files {
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
		data, err := os.ReadFile(file)
		must(t, err)
		out[filepath.Join(exchange.TLSFolder, filepath.Base(file))] = string(data)
	}
	return out
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// secured is a bench whose configuration names an authority, and a client certificate with its key; cert is named
// relative to the controller's folder.
func secured(t *testing.T) (b bench, ca, cert, key string) {
	t.Helper()
	b = newBench(t)
	ca, _ = testbed.Certificate(t, t.TempDir(), "authority")
	cert, key = testbed.Certificate(t, b.dir, "client")
	b.configure(t, map[string]any{
		"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token, "MATOMO_HEADERS": "X-Gate: it's hush\nX-Other: 1",
		"TLS_CA_FILE": ca, "TLS_CERT_FILE": filepath.Base(cert), "TLS_KEY_FILE": key,
	})
	return b, ca, cert, key
}

func TestCertificatesLieBesideTheFilesThatNameThem(t *testing.T) {
	b, ca, cert, key := secured(t)
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	values, copies := env(t, b), b.copies(t, "")
	for knob, path := range map[string]string{"TLS_CA_FILE": ca, "TLS_CERT_FILE": cert, "TLS_KEY_FILE": key} {
		if copies[values[knob]] != content(t, path) {
			t.Errorf("%s=%q is no copy of %s", knob, values[knob], path)
		}
	}
	if len(copies) != 3 || values["MATOMO_HEADERS"] != "X-Gate: it's hush\nX-Other: 1" {
		t.Errorf("%d copies, headers %q", len(copies), values["MATOMO_HEADERS"])
	}
	if p, err := b.PendingChanges(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("nothing has changed: %v, %v", p, err)
	}

	renewed, _ := testbed.Certificate(t, t.TempDir(), "authority")
	must(t, os.Rename(renewed, ca))
	if p, err := b.PendingChanges(t.Context()); err != nil || len(p) != 1 ||
		p[0] != (plan.Difference{Name: "TLS_CA_FILE", Saved: "changed"}) {
		t.Errorf("want the authority that was renewed: %v, %v", p, err)
	}
	b.configure(t, map[string]any{"TLS_CERT_FILE": "", "TLS_KEY_FILE": ""})
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	if copies := b.copies(t, ""); len(copies) != 1 || copies[env(t, b)["TLS_CA_FILE"]] != content(t, ca) {
		t.Errorf("what is no longer named is still there: %d", len(copies))
	}
}

func TestAStartWithoutItsCertificateIsRefused(t *testing.T) {
	b, ca, _, key := secured(t)
	must(t, os.Remove(ca))
	must(t, os.WriteFile(key, []byte("no key"), 0o600))
	var problems problem.List
	if _, err := b.Start(t.Context(), nil, drawn); !errors.As(err, &problems) || len(problems) != 2 ||
		problems[0].Where != "TLS_CA_FILE" || problems[1].Where != "TLS_KEY_FILE" {
		t.Errorf("want both settings: %v", err)
	}
	if b.file(t, exchange.EnvFile) != nil || len(b.copies(t, "")) > 0 {
		t.Error("something was published")
	}
}

func TestTheFilesOfTargetsAndJobsHaveTheirOwnCertificates(t *testing.T) {
	b := newBench(t)
	cert, key := testbed.Certificate(t, b.dir, "client")
	_, err := b.library.CreateTarget(t.Context(),
		[]byte(`{"name":"A","url":"https://a.test","site_id":2,"tls_ca_file":"client.pem","tls_cert_file":"`+cert+
			`","tls_key_file":"`+key+`"}`))
	must(t, err)
	must(t, b.library.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: target.Random}))
	in, _, _, err := b.Backfill(t.Context(), nil)
	must(t, err)
	must(t, b.WriteJob(in, drawn))
	_, err = b.Start(t.Context(), nil, again)
	must(t, err)
	for _, dir := range []string{"", exchange.JobFolder(drawn.ID)} {
		set, problems := target.Decode("", b.file(t, filepath.Join(dir, exchange.TargetsFile)))
		copies := b.copies(t, dir)
		if a := set.Targets[0]; problems.Err() != nil || len(copies) != 2 || copies[a.CAFile] != content(t, cert) ||
			a.CertFile != a.CAFile || copies[a.KeyFile] != content(t, key) {
			t.Errorf("%q: %+v, %v", dir, set.Targets, problems)
		}
	}

	cert, key = testbed.Certificate(t, b.dir, "client") // it was renewed
	must(t, b.RenewJob(t.Context(), drawn.ID))
	set, problems := target.Decode("", b.file(t, filepath.Join(exchange.JobFolder(drawn.ID), exchange.TargetsFile)))
	if copies := b.copies(t, exchange.JobFolder(drawn.ID)); problems.Err() != nil || len(copies) != 2 ||
		copies[set.Targets[0].KeyFile] != content(t, key) || copies[set.Targets[0].CertFile] != content(t, cert) {
		t.Errorf("renewed: %+v, %v", set, problems)
	}
	must(t, b.RemoveJob(drawn.ID))
	if there, err := afero.DirExists(afero.NewOsFs(),
		filepath.Join(b.dir, "exchange", exchange.JobFolder(drawn.ID))); err != nil || there {
		t.Errorf("the job's key is left: %v", err)
	}
}

func TestAnotherRunReachesTheTargetAsItIsReachedNow(t *testing.T) {
	b, _, _, key := secured(t)
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	first := kept(t, b)
	for name, data := range first {
		if strings.Contains(string(data), "PRIVATE KEY") || strings.Contains(string(data), "hush") ||
			strings.HasPrefix(name, exchange.TLSFolder) {
			t.Errorf("%s is kept with a secret", name)
		}
	}
	_, renewed := testbed.Certificate(t, b.dir, "client")
	b.configure(t, map[string]any{"MATOMO_HEADERS": "X-Gate: new"})
	must(t, b.PublishRerun(t.Context(), first, again))
	values, copies := env(t, b), b.copies(t, "")
	if values["MATOMO_HEADERS"] != "X-Gate: new" || values["MATOMO_TOKEN_AUTH"] != token || len(copies) != 3 ||
		copies[values["TLS_KEY_FILE"]] != content(t, renewed) {
		t.Errorf("%v", values)
	}
	before, err := b.Published(t.Context())
	must(t, err)
	b.configure(t, map[string]any{"MATOMO_URL": "https://other.test/matomo.php", "MATOMO_TOKEN_AUTH": "",
		"MATOMO_HEADERS": "", "TLS_CERT_FILE": "", "TLS_KEY_FILE": ""})
	var lost *plan.MissingSecrets
	if err := b.PublishRerun(t.Context(), first, again); !errors.As(err, &lost) || len(lost.Problems) != 4 {
		t.Errorf("nothing is saved for the address any more: %v", err)
	}
	_, err = b.Start(t.Context(), nil, drawn)
	must(t, err)
	must(t, os.Remove(key))
	must(t, b.Restore(t.Context(), before))
	if copies := b.copies(t, ""); copies[env(t, b)["TLS_KEY_FILE"]] == "" || len(copies) != 3 {
		t.Errorf("the plan before is back without its certificates: %d", len(copies))
	}
}

func TestAnImportedEditKeepsTheSavedPathsOfCertificates(t *testing.T) {
	b, ca, _, _ := secured(t)
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	b.edit(t, exchange.EnvFile, string(b.file(t, exchange.EnvFile))+"# mine\n")
	b.edit(t, exchange.EnvFile,
		strings.Replace(string(b.file(t, exchange.EnvFile)), "CONCURRENCY=\n", "CONCURRENCY=3\n", 1))
	must(t, b.Publish(t.Context()))
	if len(b.copies(t, "")) != 3 {
		t.Error("an edited file lost what it names")
	}
	must(t, b.Resolve(t.Context(), setup.Import))
	c, err := b.library.Config(t.Context())
	if err != nil || c.Values["CONCURRENCY"] != 3 || c.Values["TLS_CA_FILE"] != ca ||
		c.Values["TLS_CERT_FILE"] != "client.pem" {
		t.Errorf("%v, %v", c.Values, err)
	}
}

// A person who edits the files by hand names other files as the loadgen finds them: from the exchange folder on.
func TestAnImportedEditNamesCertificatesFromTheExchangeFolder(t *testing.T) {
	b, ca, _, _ := secured(t)
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	authority, err := os.ReadFile(ca)
	must(t, err)
	own := filepath.Join(b.dir, "exchange", "own.pem")
	must(t, os.WriteFile(own, authority, 0o600))
	settings := string(b.file(t, exchange.EnvFile))
	b.edit(t, exchange.EnvFile,
		strings.Replace(settings, "TLS_CA_FILE="+env(t, b)["TLS_CA_FILE"], "TLS_CA_FILE=own.pem", 1))
	b.edit(t, exchange.TargetsFile,
		`{"targets":[{"name":"t","url":"https://t.test/","site_id":1,"tls_ca_file":"own.pem"}]}`)
	must(t, b.Resolve(t.Context(), setup.Import))
	c, err := b.library.Config(t.Context())
	must(t, err)
	targets, _, err := b.library.Targets(t.Context())
	must(t, err)
	if c.Values["TLS_CA_FILE"] != own || len(targets) != 1 || targets[0].CAFile != own {
		t.Errorf("%v, %+v", c.Values["TLS_CA_FILE"], targets)
	}
}
