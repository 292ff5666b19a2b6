// Package host owns the program's access to the machine, provided by main.
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

// Host is the machine the program runs on.
type Host struct {
	Version        string // of the program
	Env            map[string]string
	FS             afero.Fs
	Stdout, Stderr io.Writer
	// Signals are requests to stop: the first drains the run, the second aborts it.
	Signals <-chan os.Signal
	// Now is the clock that determines the current day of a backfill.
	Now func() time.Time
	// Descriptors is the limit of open files of this process, 0 if unknown.
	Descriptors uint64
	// Terminal means that Stderr is a terminal.
	Terminal bool
}

// JSONLines reports whether a controller parses Stderr, see package logline.
func (h Host) JSONLines() bool { return h.Env[logline.EnvVar] == logline.JSON }

// ParseEnv returns an environment as a map. Its entries are KEY=value.
func ParseEnv(pairs []string) map[string]string {
	env := map[string]string{}
	for _, pair := range pairs {
		if key, v, ok := strings.Cut(pair, "="); ok {
			env[key] = v
		}
	}
	return env
}

// ReadFile reads a file named by a setting.
func (h Host) ReadFile(path string) ([]byte, error) { return exchange.Read(h.FS, path) }

// Machine returns the access of targets to this machine. env is the environment merged with the settings.
func (h Host) Machine(env map[string]string) target.Environment {
	return target.Environment{ReadFile: h.ReadFile, Env: env}
}
