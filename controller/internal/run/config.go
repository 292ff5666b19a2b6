package run

import (
	"encoding/json"
	"maps"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Configuration is the settings of published files as JSON by env name, secrets masked, and the kind of run that they
// make. A secret that an edit by hand gives by file is masked too: its file is for the loadgen to read.
func Configuration(files map[string][]byte) (config []byte, kind string) {
	// What was published was made by EncodeEnv, so there are no problems.
	values, _ := exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile])
	out := map[string]string{}
	for key, v := range values {
		out[key] = v
	}
	for _, f := range spec.Fields() {
		if f.Secret && out[f.Key]+out[f.Key+spec.FileSuffix] != "" {
			out[f.Key] = secret.Mask
			delete(out, f.Key+spec.FileSuffix)
		}
	}
	switch kind = record.Live; "true" {
	case out["BACKFILL_ENABLED"]:
		kind = record.BackfillJob
	case out["CAPACITY_SEARCH"]:
		kind = record.CapacitySearch
	}
	config, _ = json.Marshal(out) // a map of texts always has a form
	return config, kind
}

// Settings are those of the run, without secrets; false where they are not known, as of a run that was started
// elsewhere.
func (r Run) Settings() (spec.Spec, bool) {
	values := map[string]string{}
	if json.Unmarshal(r.Config, &values) != nil || len(values) == 0 {
		return spec.Spec{}, false
	}
	maps.DeleteFunc(values, func(_, v string) bool { return v == secret.Mask })
	s, problems := spec.Parse(values, nil)
	return s, problems.Err() == nil
}
