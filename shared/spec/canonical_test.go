package spec_test

import (
	"maps"
	"testing"

	"github.com/puttrix/trafficinator/shared/spec"
)

func TestValuesThatMeanTheSameAreCanonicallyEqual(t *testing.T) {
	defaults := spec.Canonical(nil)
	for key, value := range map[string]string{
		"VISIT_DURATION_MIN": "1.0", "OUTLINKS_PROBABILITY": "0.10", "RANDOMIZE_VISITOR_COUNTRIES": "YES",
		"PAUSE_BETWEEN_PVS_MAX":    "2s",
		"ECOMMERCE_SHIPPING_RATES": "0, 5.990,9.99,15.99", "LOG_LEVEL": "info", "CONCURRENCY": " 50 ",
		"TARGET_VISITS_PER_DAY": "2e4",
	} {
		if got := spec.Canonical(map[string]string{key: value}); !maps.Equal(got, defaults) {
			t.Errorf("%s=%s is %q, the default %q", key, value, got[key], defaults[key])
		}
	}
	for key, c := range map[string]struct{ value, want string }{
		"CONCURRENCY": {"7", "7"}, "PAGEVIEWS_MIN": {"many", "many"}, "RUN_SEED": {"", ""},
		"MATOMO_TOKEN_AUTH": {"hush", "hush"},
	} {
		if got := spec.Canonical(map[string]string{key: c.value})[key]; got != c.want {
			t.Errorf("%s=%s is %q", key, c.value, got)
		}
	}
	if got := spec.Canonical(map[string]string{"SEND_MODE": "bulk"})["CONCURRENCY"]; got != "8" {
		t.Errorf("in bulk CONCURRENCY is %s", got)
	}
}
