// Package plan owns the files of a plan: their names, how they are made of a set-up, what is kept of them for a rerun,
// and what differs between two plans. It knows neither where the files lie nor where the set-up is saved.
package plan

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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

// Names are the files of a plan. Copies of certificates and keys lie beside them, in exchange.TLSFolder.
var Names = []string{exchange.EnvFile, exchange.URLsFile, exchange.FunnelsFile, exchange.EventsFile,
	exchange.TargetsFile}

// Files are the contents of a plan's files by name; one that is nil or absent is not there.
type Files = map[string][]byte

// Input is all that a plan is made of, secrets included. Certificate and key files have whole paths.
type Input struct {
	// Settings are settings by env key; an empty value means the default.
	Settings map[string]string
	// URLs is a list of pages, nil for the built-in one.
	URLs []byte
	// Funnels are the enabled ones in the order in which they are tried.
	Funnels []funnel.Funnel
	// Events are nil for the built-in ones.
	Events *eventset.Set
	// Targets are nil where there is the one target of Knobs.
	Targets *target.Set
}

// Identity fixes a run.
type Identity struct {
	ID   string
	Seed uint64
}

// pinned are empty in loadgen.env, so that nothing in the loadgen's own environment goes before the published files.
var pinned = spec.Keys(func(f spec.Field) bool {
	return f.Key == "MULTI_TARGET_CONFIG" || f.Role == spec.Behaviour && f.Path
})

// readToken is the controller's own: who sends needs not read.
const readToken = "MATOMO_READ_TOKEN"

// runKeys are the knobs that belong to a run and not to the set-up.
var runKeys = spec.Keys(func(f spec.Field) bool { return f.Role == spec.OfRun })

// Keys are the settings of a run that is started, such as a job. Its journal tells what is left to send.
func (id Identity) Keys() map[string]string {
	return map[string]string{"AUTO_START": "true", "RUN_ID": id.ID, "RUN_SEED": strconv.FormatUint(id.Seed, 10)}
}

// StartKeys are the Keys of a start of the kept loadgen, which counts once: a loadgen that meets the same START_ID
// again, because somebody else has started it, idles.
func (id Identity) StartKeys() map[string]string {
	keys := id.Keys()
	maps.Copy(keys, Restarted())
	return keys
}

// Restarted are the settings of one more start of the same run.
func Restarted() map[string]string { return map[string]string{"START_ID": rand.Text()} }

// IdentityOf is what the knobs fix of a run, else drawn.
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

// Files makes the files; one that shall not be there is nil, because the loadgen takes a missing file for the built-in
// content. Every knob is written, empty for its default: what is not written would come from the environment in which
// the loadgen was started, where one of a backfill would make a job of the run. keys are settings of the run.
// Certificates and keys are read from fsys; the error is a problem.List where one cannot be.
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

// encode writes settings and targets, nil for none, into the files of a plan, and copies of what they name beside them.
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

// What WithoutAccess sets instead of tokens and a missing URL.
const (
	placeholderToken = "00000000000000000000000000000000" //nolint:gosec // a placeholder protects nothing
	placeholderURL   = "http://matomo.invalid/matomo.php"
)

// WithoutAccess returns the input for a plan that is previewed and never run: its tokens are placeholders, it has no
// settings of connections, which do not change the visits, and it needs no target.
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

// Outline makes the files for a look at the visits, and tells what fixes the run. Nothing is sent, so that in must name
// no certificate.
func (in Input) Outline(drawn Identity) (Files, Identity, error) {
	id, err := in.IdentityOf(drawn)
	if err != nil {
		return nil, id, err
	}
	files, err := in.Files(afero.NewMemMapFs(), id.Keys())
	maps.DeleteFunc(files, func(_ string, data []byte) bool { return data == nil })
	return files, id, err
}

// Patch sets some knobs of a loadgen.env and leaves the others; comments are lost.
func Patch(env []byte, keys map[string]string) ([]byte, error) {
	values, problems := exchange.ParseEnv(exchange.EnvFile, env)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	maps.Copy(values, keys)
	return exchange.EncodeEnv(values)
}

// RunKeys are the settings of a loadgen.env that belong to a run.
func RunKeys(env []byte) (map[string]string, error) {
	values, problems := exchange.ParseEnv(exchange.EnvFile, env)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, key := range runKeys {
		if v := values[key]; v != "" {
			out[key] = v
		}
	}
	return out, nil
}

// Sum is a hash of a file's content without what belongs to a run; "" is no file.
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
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func withoutRun(values map[string]string) {
	for _, key := range runKeys {
		delete(values, key)
	}
}
