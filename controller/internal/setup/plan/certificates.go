package plan

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"maps"
	"path/filepath"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// fileKeys are the settings that name a certificate or a key.
var fileKeys = spec.Keys(func(f spec.Field) bool { return f.Role == spec.OfTarget && f.Path })

// certificates are copies of certificate and key files in the exchange folder: a loadgen in a container sees no other
// folder. A copy is named by its content, so that a renewed file changes the plan, and an older plan keeps its copy.
type certificates struct {
	fs       afero.Fs
	copies   Files
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

// copy copies the file at path and returns the name of the copy, relative to the exchange folder.
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
	data = textfile.TryDecode(data)
	if block, _ := pem.Decode(data); block == nil {
		c.problems.Refuse(setting, path, "contains neither a certificate nor a key",
			"name a PEM file, which starts with -----BEGIN")
		return ""
	}
	name := filepath.Join(exchange.TLSFolder, fmt.Sprintf("%x.pem", sha256.Sum256(data)))
	c.copies[name] = data
	return name
}

// IsCopy reports whether a file of a plan is a copy of a certificate or a key.
func IsCopy(file string) bool { return filepath.Dir(file) == exchange.TLSFolder }

// WithoutCopies returns files without certificates and keys.
func WithoutCopies(files Files) Files {
	out := maps.Clone(files)
	maps.DeleteFunc(out, func(file string, _ []byte) bool { return IsCopy(file) })
	return out
}
