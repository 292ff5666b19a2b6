package run

import (
	"encoding/json"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// configuration is the settings of published files as JSON by env name, secrets masked.
func configuration(files map[string][]byte) []byte {
	// What was published was made by EncodeEnv, so there are no problems.
	values, _ := exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile])
	out := map[string]string{}
	for key, v := range values {
		out[key] = v
	}
	for _, f := range spec.Fields() {
		if f.Secret && out[f.Key] != "" {
			out[f.Key] = secret.Mask
		}
	}
	data, _ := json.Marshal(out) // a map of texts always has a form
	return data
}
