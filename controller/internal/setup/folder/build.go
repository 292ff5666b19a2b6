package folder

import (
	"crypto/rand"
	"fmt"
	"maps"
	"strconv"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// names are the files of the folder.
var names = []string{exchange.EnvFile, exchange.URLsFile, exchange.FunnelsFile, exchange.EventsFile,
	exchange.TargetsFile}

// pinned are empty in loadgen.env, so that nothing in the loadgen's own environment goes before the published files.
var pinned = []string{"MULTI_TARGET_CONFIG", "URLS_FILE", "FUNNEL_CONFIG_PATH"}

// readToken is the controller's own: who sends needs not read.
const readToken = "MATOMO_READ_TOKEN"

// fileKeys are the knobs that name a certificate or a key.
var fileKeys = []string{"TLS_CA_FILE", "TLS_CERT_FILE", "TLS_KEY_FILE"}

// runKeys are the knobs that belong to a run and not to the set-up.
var runKeys = []string{"AUTO_START", "RUN_ID", "RUN_SEED", "START_ID"}

func keysOf(id Identity, start bool) map[string]string {
	return map[string]string{"AUTO_START": strconv.FormatBool(start), "RUN_ID": id.ID,
		"RUN_SEED": strconv.FormatUint(id.Seed, 10)}
}

// startKeys are those of a start of the kept loadgen, which counts once: a loadgen that meets the same START_ID again,
// because somebody else has started it, idles. A job has none: its journal tells what is left to send.
func startKeys(id Identity) map[string]string {
	keys := keysOf(id, true)
	keys["START_ID"] = rand.Text()
	return keys
}

// identity is what the knobs fix of a run, else drawn.
func identity(knobs map[string]string, drawn Identity) (Identity, error) {
	if id := knobs["RUN_ID"]; id != "" {
		drawn.ID = id
	}
	if text := knobs["RUN_SEED"]; text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return Identity{}, fmt.Errorf("read RUN_SEED: %w", err)
		}
		drawn.Seed = seed
	}
	return drawn, nil
}

// build makes the files of a set-up; one that shall not be there is nil, because the loadgen takes a missing file for
// the built-in content. Every knob is written, empty for its default: what is not written would come from the
// environment in which the loadgen was started, where one of a backfill would make a job of the run. Certificates and
// keys are read from fsys; the error is a problem.List where one cannot be.
func build(fsys afero.Fs, s setup.SetUp, keys map[string]string) (map[string][]byte, error) {
	values := maps.Clone(s.Knobs)
	delete(values, readToken)
	for _, key := range pinned {
		values[key] = ""
	}
	for _, f := range spec.Fields() {
		if f.Group == spec.BackfillGroup {
			values[f.Key] = s.Knobs[f.Key]
		}
	}
	maps.Copy(values, keys)
	out := map[string][]byte{exchange.URLsFile: s.URLs, exchange.FunnelsFile: nil, exchange.EventsFile: nil}
	var err error
	if len(s.Funnels) > 0 {
		if out[exchange.FunnelsFile], err = funnel.Encode(s.Funnels); err != nil {
			return nil, err
		}
	}
	if s.Events != nil {
		if out[exchange.EventsFile], err = eventset.Encode(*s.Events); err != nil {
			return nil, err
		}
	}
	return out, encode(fsys, out, values, s.Targets)
}

// encode writes settings and targets, nil for none, into the files of a plan, and copies of what they name beside them.
func encode(fsys afero.Fs, into map[string][]byte, values map[string]string, targets *target.Set) (err error) {
	c := certificates{fs: fsys, copies: map[string][]byte{}}
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

// Outline makes the files of a set-up for a look at its visits, without writing them, and tells what fixes the run.
// Nothing is sent, so that it must name no certificate.
func Outline(s setup.SetUp, drawn Identity) (map[string][]byte, Identity, error) {
	id, err := identity(s.Knobs, drawn)
	if err != nil {
		return nil, id, err
	}
	files, err := build(afero.NewMemMapFs(), s, keysOf(id, true))
	maps.DeleteFunc(files, func(_ string, data []byte) bool { return data == nil })
	return files, id, err
}

// patch sets some knobs of a loadgen.env and leaves the others; comments are lost.
func patch(env []byte, keys map[string]string) ([]byte, error) {
	values, problems := exchange.ParseEnv(exchange.EnvFile, env)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	maps.Copy(values, keys)
	return exchange.EncodeEnv(values)
}
