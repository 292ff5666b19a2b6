package compare

import (
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/spec"
)

// ofTheRun are settings that differ between any two runs.
var ofTheRun = []string{"RUN_ID", "RUN_SEED", "AUTO_START", "START_ID"}

// elsewhere are settings that say where hits go, what is told of them and what is judged by them. Whatever they are,
// visitors do the same.
var elsewhere = []string{
	"MATOMO_URL", "MATOMO_SITE_ID", "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN", "MULTI_TARGET_CONFIG", "REQUEST_TIMEOUT",
	"MATOMO_API_URL", "MATOMO_HTTP_AUTH", "MATOMO_HEADERS", "TLS_CA_FILE", "TLS_CERT_FILE", "TLS_KEY_FILE",
	"TLS_VERIFY", "PROXY_URL",
	"CONCURRENCY", "THRESHOLDS", "THRESHOLD_ABORT", "STOP_ERROR_SHARE", "LOADGEN_ENV_FILE", "EXCHANGE_DIR", "STATE_DIR",
	"SUMMARY_FILE", "TELEMETRY_ADDR",
	"LOG_LEVEL", "LOG_FORMAT", "ECOMMERCE_CURRENCY", "BACKFILL_RPS_LIMIT", "BACKFILL_SHARDS",
}

// settings are those that differ, in the order of the spec.
func settings(a, b Run) []Setting {
	out := []Setting{}
	was, is, defaults := spec.Canonical(a.Config), spec.Canonical(b.Config), spec.Canonical(nil)
	given := func(values map[string]string, key string) string { // empty for the default
		if values[key] == defaults[key] {
			return ""
		}
		return values[key]
	}
	for _, f := range spec.Fields() {
		if was[f.Key] != is[f.Key] && !slices.Contains(ofTheRun, f.Key) {
			out = append(out, Setting{f.Key, given(was, f.Key), given(is, f.Key)})
		}
	}
	return out
}

// files are those that differ; that of the settings is compared setting by setting.
func files(a, b Run) []File {
	names := map[string]bool{}
	for _, run := range []Run{a, b} {
		for name := range run.Files {
			names[name] = true
		}
	}
	delete(names, exchange.EnvFile)
	out := []File{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if was, is := a.Files[name], b.Files[name]; was != is {
			out = append(out, File{name, was, is})
		}
	}
	return out
}

// samePlan tells whether visitors do the same in both runs.
func samePlan(r Result) bool {
	return !slices.ContainsFunc(r.Settings, func(s Setting) bool { return !slices.Contains(elsewhere, s.Key) }) &&
		!slices.ContainsFunc(r.Files, func(f File) bool { return f.Name != exchange.TargetsFile })
}
