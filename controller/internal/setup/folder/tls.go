package folder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// certificates are copies of the certificate and key files that settings and targets name, by their place in the
// exchange folder: a loadgen in a container sees no other folder. A copy is named by its content, so that a file that
// was renewed makes another plan, and a plan finds its copies whatever was saved since.
type certificates struct {
	fs       afero.Fs
	copies   map[string][]byte
	problems problem.List
}

// settings replaces the paths in the settings of a plan.
func (c *certificates) settings(values map[string]string) {
	for _, key := range fileKeys {
		values[key] = c.copy(key, values[key])
	}
}

// targets replaces the paths in the targets of a plan.
func (c *certificates) targets(list []target.Target) {
	for i := range list {
		t := &list[i]
		for key, path := range map[string]*string{"tls_ca_file": &t.CAFile, "tls_cert_file": &t.CertFile,
			"tls_key_file": &t.KeyFile} {
			*path = c.copy(fmt.Sprintf("target %q: %s", t.Name, key), *path)
		}
	}
}

// copy keeps the file at path and returns the name of its copy, relative to the exchange folder.
func (c *certificates) copy(setting, path string) string {
	if path == "" {
		return ""
	}
	data, err := exchange.Read(c.fs, path)
	if err != nil {
		c.problems.Refuse(setting, path, "cannot be read: "+err.Error(),
			"name a file that the controller's user may read")
		return ""
	}
	data = textfile.Plain(data)
	if block, _ := pem.Decode(data); block == nil {
		c.problems.Refuse(setting, path, "holds neither a certificate nor a key",
			"name a PEM file, which begins with -----BEGIN")
		return ""
	}
	sum := sha256.Sum256(data)
	name := filepath.Join(exchange.TLSFolder, hex.EncodeToString(sum[:])+".pem")
	c.copies[name] = data
	return name
}

// isCopy reports whether a file of a plan is a copy of a certificate or a key.
func isCopy(file string) bool { return filepath.Dir(file) == exchange.TLSFolder }

// copiesOf are the copies among the files of a plan, by their names in TLSFolder.
func copiesOf(files map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for file, data := range files {
		if isCopy(file) {
			out[filepath.Base(file)] = data
		}
	}
	return out
}

// putCopies writes the copies of a plan below dir, those that are not there.
func (p *Publisher) putCopies(dir string, files map[string][]byte) error {
	copies := copiesOf(files)
	dir = filepath.Join(dir, exchange.TLSFolder)
	maps.DeleteFunc(copies, func(name string, data []byte) bool {
		have, err := exchange.Read(p.fs, filepath.Join(dir, name))
		return err == nil && bytes.Equal(have, data)
	})
	if len(copies) == 0 {
		return nil
	}
	if err := p.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder of certificates: %w", err)
	}
	return exchange.Publish(p.fs, dir, copies)
}

// sweepCopies removes what is in the folder of copies below dir and neither belongs to the plan nor is named in its
// files, such as in one that was edited by hand.
func (p *Publisher) sweepCopies(dir string, files map[string][]byte) error {
	dir = filepath.Join(dir, exchange.TLSFolder)
	there, err := afero.ReadDir(p.fs, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list certificates: %w", err)
	}
	copies := copiesOf(files)
	for _, f := range there {
		_, kept := copies[f.Name()]
		if kept || bytes.Contains(files[exchange.EnvFile], []byte(f.Name())) ||
			bytes.Contains(files[exchange.TargetsFile], []byte(f.Name())) {
			continue
		}
		if err := p.fs.RemoveAll(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("remove certificate: %w", err)
		}
	}
	return nil
}

// withoutCopies is files without certificates and keys.
func withoutCopies(files map[string][]byte) map[string][]byte {
	out := maps.Clone(files)
	maps.DeleteFunc(out, func(file string, _ []byte) bool { return isCopy(file) })
	return out
}
