package run_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// A person may replace the token of loadgen.env by the name of a file that holds it.
func TestSecretFromAFileIsMasked(t *testing.T) {
	t.Parallel()
	config, kind := run.Configuration(map[string][]byte{
		exchange.EnvFile: []byte(
			"MATOMO_URL=https://matomo.test/matomo.php\nMATOMO_TOKEN_AUTH=\nMATOMO_TOKEN_AUTH_FILE=/run/secrets/token\n",
		),
	})
	if text := fmt.Sprint(config); config["MATOMO_TOKEN_AUTH"] != "***MASKED***" || strings.Contains(text, "_FILE") ||
		strings.Contains(text, "/run/secrets") {
		t.Errorf("got %s", text)
	}
	if s, known := (record.Run{Config: config}).Settings(); !known || s.MatomoURL == "" ||
		kind != runsummary.Live {
		t.Errorf("want known settings, got %+v", s)
	}
}

// Runs that were recorded before name the file.
func TestSettingsWithAFileAreUnknown(t *testing.T) {
	t.Parallel()
	if s, known := (record.Run{Config: map[string]string{"MATOMO_TOKEN_AUTH_FILE": "/path"}}).Settings(); known {
		t.Errorf("got %+v", s)
	}
}
