// Package plan makes the files of a plan from a set-up, archives them for a rerun, and compares two plans. It does not
// depend on where the files or the set-up are stored.
package plan

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Names are the files of a plan. Copies of certificates and keys are in exchange.TLSFolder next to them.
var Names = []string{exchange.EnvFile, exchange.URLsFile, exchange.FunnelsFile, exchange.EventsFile,
	exchange.TargetsFile}

// Files are the contents of a plan's files by name; nil or absent means no file.
type Files = map[string][]byte

// Input is everything that a plan is made of, secrets included. Certificate and key files have absolute paths.
type Input struct {
	// Settings are settings by env key; an empty value means the default.
	Settings map[string]string
	// URLs is a list of pages, nil for the built-in one.
	URLs []byte
	// Funnels are the enabled ones in the order in which they are tried.
	Funnels []funnel.Funnel
	// Events are nil for the built-in ones.
	Events *eventset.Set
	// Targets are nil for the single target of Settings.
	Targets *target.Set
}

// Identity is the ID and seed of a run.
type Identity struct {
	ID   string
	Seed uint64
}

// pinned are empty in loadgen.env, so that the loadgen's own environment does not override the published files.
var pinned = spec.Keys(func(f spec.Field) bool {
	return f.Key == "MULTI_TARGET_CONFIG" || f.Role == spec.Behaviour && f.Path
})

// readToken is used by the controller only: sending needs no reading.
const readToken = "MATOMO_READ_TOKEN"

// runKeys are the settings that belong to a run and not to the set-up.
var runKeys = spec.Keys(func(f spec.Field) bool { return f.Role == spec.OfRun })

// Keys returns the settings of a started run, such as a job, whose journal records what remains to be sent.
func (id Identity) Keys() map[string]string {
	return map[string]string{"AUTO_START": "true", "RUN_ID": id.ID, "RUN_SEED": strconv.FormatUint(id.Seed, 10)}
}

// StartKeys returns the Keys of one start: a loadgen that reads the same START_ID again, because it was not started by
// the controller, idles.
func (id Identity) StartKeys() map[string]string {
	keys := id.Keys()
	maps.Copy(keys, Restarted())
	return keys
}

// Restarted returns the settings of another start of the same run.
func Restarted() map[string]string { return map[string]string{"START_ID": rand.Text()} }

// IdentityOf returns RUN_ID and RUN_SEED of the settings, or those of drawn.
func (in Input) IdentityOf(drawn Identity) (Identity, error) {
	if id := in.Settings["RUN_ID"]; id != "" {
		drawn.ID = id
	}
	if text := in.Settings["RUN_SEED"]; text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return Identity{}, fmt.Errorf("read RUN_SEED: %w", err)
		}
		drawn.Seed = seed
	}
	return drawn, nil
}

// Files returns the files, nil for one that must not exist, which the loadgen replaces by the built-in content. Every
// setting is written, empty for its default, because a missing one would come from the loadgen's own environment, where
// one of a backfill would turn the run into a job. keys are settings of the run. Certificates and keys are read from
// fsys; the error is a problem.List if one is unusable.
func (in Input) Files(fsys afero.Fs, keys map[string]string) (Files, error) {
	values := maps.Clone(in.Settings)
	delete(values, readToken)
	for _, key := range pinned {
		values[key] = ""
	}
	for _, f := range spec.Fields() {
		if f.Group == spec.BackfillGroup {
			values[f.Key] = in.Settings[f.Key]
		}
	}
	maps.Copy(values, keys)
	out := Files{exchange.URLsFile: in.URLs, exchange.FunnelsFile: nil, exchange.EventsFile: nil}
	var err error
	if len(in.Funnels) > 0 {
		if out[exchange.FunnelsFile], err = funnel.Encode(in.Funnels); err != nil {
			return nil, err
		}
	}
	if in.Events != nil {
		if out[exchange.EventsFile], err = eventset.Encode(*in.Events); err != nil {
			return nil, err
		}
	}
	return out, encode(fsys, out, values, in.Targets)
}

// encode adds settings, targets (nil for none), and copies of the certificates and keys that they name.
func encode(fsys afero.Fs, into Files, values map[string]string, targets *target.Set) (err error) {
	c := certificates{fs: fsys, copies: Files{}}
	c.settings(values)
	into[exchange.TargetsFile] = nil
	if targets != nil {
		c.targets(targets.Targets)
		if into[exchange.TargetsFile], err = target.Encode(*targets); err != nil {
			return err
		}
	}
	maps.Copy(into, c.copies)
	if err := c.problems.Err(); err != nil {
		return err
	}
	into[exchange.EnvFile], err = exchange.EncodeEnv(values)
	return err
}

// Values that WithoutAccess sets instead of tokens and a missing URL.
const (
	placeholderToken = "00000000000000000000000000000000" //nolint:gosec // a placeholder protects nothing
	placeholderURL   = "http://matomo.invalid/matomo.php"
)

// WithoutAccess returns the input of a preview, which is never run: its tokens are placeholders, it has no connection
// settings, which do not affect visits, and it needs no target.
func (in Input) WithoutAccess() Input {
	in.Settings = maps.Clone(in.Settings)
	for _, key := range slices.Concat(spec.AccessSettings, spec.SharedSettings) {
		in.Settings[key] = ""
	}
	for _, f := range spec.Fields() {
		if f.Secret && in.Settings[f.Key] != "" {
			in.Settings[f.Key] = placeholderToken
		}
	}
	switch {
	case in.Targets != nil:
		set := *in.Targets
		set.Targets = slices.Clone(set.Targets)
		for i := range set.Targets {
			if set.Targets[i].Access = (target.Access{}); set.Targets[i].Token != "" {
				set.Targets[i].Token = secret.String(placeholderToken)
			}
		}
		in.Targets = &set
	case in.Settings["MATOMO_URL"] == "":
		in.Settings["MATOMO_URL"] = placeholderURL
	}
	return in
}

// Outline returns the files and the identity of a preview of visits. Nothing is sent, so in must not name certificates.
func (in Input) Outline(drawn Identity) (Files, Identity, error) {
	id, err := in.IdentityOf(drawn)
	if err != nil {
		return nil, id, err
	}
	files, err := in.Files(afero.NewMemMapFs(), id.Keys())
	maps.DeleteFunc(files, func(_ string, data []byte) bool { return data == nil })
	return files, id, err
}

// Patch sets some settings of a loadgen.env and keeps the others; comments are lost.
func Patch(env []byte, keys map[string]string) ([]byte, error) {
	values, problems := exchange.ParseEnv(exchange.EnvFile, env)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	maps.Copy(values, keys)
	return exchange.EncodeEnv(values)
}

// RunKeys returns the settings of a loadgen.env that belong to a run.
func RunKeys(env []byte) (map[string]string, error) {
	values, problems := exchange.ParseEnv(exchange.EnvFile, env)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	maps.DeleteFunc(values, func(key, v string) bool { return v == "" || !slices.Contains(runKeys, key) })
	return values, nil
}

// Sum returns a hash of a file's content without the settings of a run, "" for no file.
func Sum(file string, data []byte) string {
	if data == nil {
		return ""
	}
	if file == exchange.EnvFile {
		if values, problems := exchange.ParseEnv(file, data); problems == nil {
			withoutRun(values)
			if plain, err := exchange.EncodeEnv(values); err == nil {
				data = plain
			}
		}
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

func withoutRun(values map[string]string) {
	maps.DeleteFunc(values, func(key, _ string) bool { return slices.Contains(runKeys, key) })
}
