package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/spec"
)

func TestBackfillRequestTimeout(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]time.Duration{
		"":                                       10 * time.Second,
		"REQUEST_TIMEOUT=3":                      3 * time.Second,
		"BACKFILL_ENABLED=true":                  5 * time.Minute,
		"BACKFILL_ENABLED=true REQUEST_TIMEOUT=": 5 * time.Minute,
		"BACKFILL_ENABLED=true REQUEST_TIMEOUT=10": 10 * time.Second,
	} {
		values := map[string]string{}
		for pair := range strings.FieldsSeq(environ) {
			key, v, _ := strings.Cut(pair, "=")
			values[key] = v
		}
		k, _ := spec.Parse(values, nil)
		if got := newSending(&k).Timeout; got != want {
			t.Errorf("%s: %v, want %v", environ, got, want)
		}
	}
}
