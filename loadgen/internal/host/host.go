// Package host owns what the program needs of the machine, handed to it by main. It knows nothing of what the program
// does with it.
package host

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/target"
)

// Host is what the program needs of the machine.
type Host struct {
	// Version is that of the program.
	Version        string
	Env            map[string]string
	FS             afero.Fs
	Stdout, Stderr io.Writer
	// Signals carries requests to stop: the first drains, the second breaks off.
	Signals <-chan os.Signal
	// Now is the clock by which a backfill knows today.
	Now func() time.Time
	// Descriptors is how many files this process may have open, 0 where nobody knows.
	Descriptors uint64
	// Terminal says that a person watches stderr.
	Terminal bool
}

// JSONLines reports whether a controller parses Stderr, see package logline.
func (h Host) JSONLines() bool { return h.Env[logline.EnvVar] == logline.JSON }

// ParseEnv is an environment of KEY=value.
func ParseEnv(pairs []string) map[string]string {
	env := map[string]string{}
	for _, pair := range pairs {
		if key, v, ok := strings.Cut(pair, "="); ok {
			env[key] = v
		}
	}
	return env
}

// ReadFile reads a file that a setting names.
func (h Host) ReadFile(path string) ([]byte, error) { return exchange.Read(h.FS, path) }

// Machine is what reaching targets takes of this machine, with the environment that the settings made.
func (h Host) Machine(env map[string]string) target.Environment {
	return target.Environment{ReadFile: h.ReadFile, Env: env}
}
