package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// goldenFunnels has a step of each kind, with all that a step may name.
const goldenFunnels = `[{"name": "buyers", "probability": 0.4, "priority": 1, "enabled": true, "exit_after_completion": true,
	"steps": [
		{"type": "pageview", "url": "https://shop.example.test/kampagne?utm_campaign=golden", "action_name": "Landing",
			"delay_seconds_min": 1, "delay_seconds_max": 30},
		{"type": "event", "event_category": "Shop", "event_action": "open", "event_name": "menu", "event_value": 3},
		{"type": "site_search", "search_keyword": "boots", "search_category": "shoes", "search_results": 4},
		{"type": "outlink", "target_url": "https://elsewhere.example.test/"},
		{"type": "download", "target_url": "https://shop.example.test/list.pdf"},
		{"type": "pageview", "url": "https://shop.example.test/cart", "action_name": "Cart"},
		{"type": "ecommerce", "ecommerce_revenue": 120.5, "ecommerce_tax": 10, "ecommerce_shipping": 5}
	]},
	{"name": "readers", "probability": 0.3, "priority": 2, "enabled": true, "exit_after_completion": false,
	"steps": [{"type": "pageview", "url": "https://shop.example.test/", "action_name": "Home"},
		{"type": "pageview", "url": "https://shop.example.test/blog", "action_name": "Blog"}]}]`

// A plan's bytes are what a seed promises: they may change only if a release announces it.
func TestPlanOfASeedIsUnchanged(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"light":    "36046482f182875456d85338f119aa29edc93048a112fd14f1d02462e639a9a2",
		"medium":   "ec963102be2088b61840a56d12e0183842f1151d109d17656571e5316b4526cc",
		"heavy":    "5271cc099f8452ae81d8125f525c9b453dd043fd96a9dac3dda2d5a9903555ff",
		"extreme":  "277f8edd02659aac847d040e7be42e3e52288b014cce9de0168bbfbc6edd73b2",
		"funnels":  "6fd1b5d3a1cb9d0539fb59148d67fab5eb3a86f866011b262836eb01ace9abca",
		"backfill": "278dec773462b90626a1eacb9c7fd644fcb71cc20458700298a5bc36a17a1c08",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, env := afero.NewMemMapFs(), map[string]string{}
			switch name {
			case "funnels":
				write(t, fsys, "/x/funnels.json", goldenFunnels)
				env["FUNNEL_CONFIG_PATH"], env["ECOMMERCE_PROBABILITY"] = "/x/funnels.json", "0.2"
				env["RUN_DIMENSION"] = "5"
			case "backfill":
				env = map[string]string{
					"BACKFILL_ENABLED":       "true",
					"BACKFILL_DAYS_BACK":     "7",
					"BACKFILL_DURATION_DAYS": "5",
					"ECOMMERCE_PROBABILITY":  "0.1",
				}
			default:
				data, err := os.ReadFile("../../../presets/.env." + name)
				if err != nil {
					t.Fatal(err)
				}
				values, problems := exchange.ParseEnv(name, data)
				if problems.Err() != nil {
					t.Fatal(problems)
				}
				env = values
			}
			maps.Copy(env, map[string]string{"MATOMO_URL": unreachable, "MATOMO_TOKEN_AUTH": token, "RUN_ID": "golden",
				"RUN_SEED": "14"})
			l := start(t, fsys, env, "plan", "--visits", "5000", "--format", "jsonl")
			l.ends(t, exitcode.OK)
			sum := sha256.Sum256([]byte(l.stdout.String()))
			if got := hex.EncodeToString(sum[:]); got != want {
				t.Errorf("%d bytes with the hash\n%s, want\n%s", len(l.stdout.String()), got, want)
			}
		})
	}
}
