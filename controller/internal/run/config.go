package run

import (
	"time"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Configuration is the settings of published files by env name, secrets masked, and the kind of run that they
// make. A secret that an edit by hand gives by file is masked too: its file is for the loadgen to read.
func Configuration(files map[string][]byte) (config map[string]string, kind string) {
	// What was published was made by EncodeEnv, so there are no problems.
	config, _ = exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile])
	for _, f := range spec.Fields() {
		if f.Secret && config[f.Key]+config[f.Key+spec.FileSuffix] != "" {
			config[f.Key] = secret.Mask
			delete(config, f.Key+spec.FileSuffix)
		}
	}
	return config, runsummary.KindOf(func(setting string) bool { return config[setting] == "true" })
}

// Draw makes a run id and a seed.
func NewIdentity() Identity { return Identity{ID: runid.New(time.Now()), Seed: runid.NewSeed()} }
