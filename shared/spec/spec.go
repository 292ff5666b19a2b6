// Package spec declares the settings: names, defaults, bounds, units, help and the rules between them. It does not
// depend on where values come from or how they are used; rules that need a file are in the plan.
package spec

import (
	"slices"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Spec has a value for each setting. A setting is declared only here; Fields reads the tags.
//
// Tags: env and envDefault as in caarlos0/env; name, group and help for people; unit; min and max, inclusive; oneof,
// the permitted words; role, see Role; widget, the input of a form, unless it follows from the kind; instead, what
// users do if a controller's configuration cannot contain the setting; secret hides the value in all output and adds a
// _FILE form; path, a file or folder. In a settings file, relative paths and those of _FILE forms start at the folder
// of that file.
type Spec struct {
	MatomoURL       string        `env:"MATOMO_URL" name:"Tracker URL" role:"target" widget:"tracker" group:"Target" help:"Tracking endpoint of Matomo, for example https://host/matomo.php. Required unless targets are configured."`
	MatomoSiteID    int           `env:"MATOMO_SITE_ID" name:"Site ID" role:"target" widget:"site" envDefault:"1" min:"1" group:"Target" help:"ID of the Matomo site that receives the traffic."`
	MatomoToken     secret.String `env:"MATOMO_TOKEN_AUTH" name:"Token" role:"target" widget:"token" secret:"true" group:"Target" help:"API token (token_auth) of a user with write access to the site; sent in POST bodies only. Without it, visits are recorded with the generator's own IP address and country."`
	MatomoReadToken secret.String `env:"MATOMO_READ_TOKEN" name:"Read token" role:"target" widget:"reader" secret:"true" group:"Target" help:"API token of a user with view access to the site; the controller reads Matomo's reports with it. The loadgen never receives it. Default: MATOMO_TOKEN_AUTH."`
	MatomoAPIURL    string        `env:"MATOMO_API_URL" name:"Reporting API URL" role:"target" group:"Target" help:"URL of the Reporting API, https://host/index.php. Default: index.php next to the tracker."`
	MatomoHTTPAuth  secret.String `env:"MATOMO_HTTP_AUTH" name:"User and password" role:"target" secret:"true" group:"Target" help:"user:password for HTTP Basic authentication in front of Matomo. Credentials in the URL (https://user:password@host/matomo.php) are moved here. Applies to MATOMO_URL only."`
	MatomoHeaders   secret.String `env:"MATOMO_HEADERS" name:"Headers" role:"target" widget:"lines" secret:"true" group:"Target" help:"Headers sent with every request to MATOMO_URL, one Name: value per line (\\n between double quotes in a settings file)."`
	TLSCAFile       string        `env:"TLS_CA_FILE" name:"CA certificates" role:"target" path:"true" group:"Target" help:"PEM file of certificate authorities to trust in addition to the system's. Used by every target without its own."`
	TLSCertFile     string        `env:"TLS_CERT_FILE" name:"Client certificate" role:"target" path:"true" group:"Target" help:"PEM file of the client certificate for MATOMO_URL."`
	TLSKeyFile      string        `env:"TLS_KEY_FILE" name:"Client certificate key" role:"target" path:"true" group:"Target" help:"PEM file of the client certificate's private key. Default: TLS_CERT_FILE."`
	TLSVerify       bool          `env:"TLS_VERIFY" name:"Verify TLS certificate" role:"target" envDefault:"true" group:"Target" help:"Verify the server's certificate. Turn off only for a test server with a self-signed certificate; prefer TLS_CA_FILE."`
	ProxyURL        secret.String `env:"PROXY_URL" name:"Proxy" role:"target" secret:"true" group:"Target" help:"Proxy for every target without its own: http://host:port, http://user:password@host:port, or none for direct connections. Default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY."`
	MultiTarget     secret.String `env:"MULTI_TARGET_CONFIG" role:"target" instead:"use the targets" secret:"true" group:"Target" help:"Several targets as JSON: {\"targets\":[{\"name\",\"url\",\"site_id\",\"token_auth\",\"weight\",\"enabled\",\"api_url\",\"http_auth\",\"headers\",\"tls_ca_file\",\"tls_cert_file\",\"tls_key_file\",\"proxy_url\"}],\"distribution_strategy\":\"round-robin|weighted|random\"}. Overrides MATOMO_*."`
	RequestTimeout  float64       `env:"REQUEST_TIMEOUT" name:"Request timeout" role:"speed" envDefault:"10" min:"0.1" max:"300" unit:"s" group:"Target" help:"Timeout of a request, from connect to the last byte. Backfills use 300 s unless this is set."`

	VisitsPerDay float64   `env:"TARGET_VISITS_PER_DAY" name:"Visits per day" role:"behaviour" widget:"rate" envDefault:"20000" min:"1" max:"1e10" unit:"visits/day" group:"Traffic" help:"Arrival rate. With LOAD_PROFILE=week, the rate of an average day."`
	LoadProfile  string    `env:"LOAD_PROFILE" name:"Load profile" role:"behaviour" widget:"profile" envDefault:"constant" group:"Traffic" help:"How the arrival rate changes over time. constant: TARGET_VISITS_PER_DAY. week: the hours of LOAD_CURVE. Or stages in visits per day, after which the run ends: 10m:0→20000, 1h:20000, 5m:200000 (-> works too)."`
	LoadCurve    []float64 `env:"LOAD_CURVE" name:"Weekly curve" role:"behaviour" widget:"curve" min:"0" max:"1e6" unit:"weights" group:"Traffic" help:"Weights of the hours of a day (24) or of a week (168, from Monday 00:00) in TIMEZONE, comma-separated. Only their ratios matter. Default: the week of a typical site."`
	Arrivals     string    `env:"ARRIVALS" name:"Arrivals" role:"behaviour" envDefault:"even" oneof:"even,poisson" group:"Traffic" help:"even: evenly spaced. poisson: random (Poisson), like real visitors, with the exact number of visits in each hour or stage."`
	Concurrency  int       `env:"CONCURRENCY" name:"Concurrency" role:"speed" widget:"concurrency" envDefault:"50" min:"1" max:"10000" unit:"requests" group:"Traffic" help:"Maximum number of requests in flight. Bulk mode uses 8 unless this is set. Open visits are not limited."`
	SendMode     string    `env:"SEND_MODE" name:"Send mode" role:"behaviour" widget:"mode" envDefault:"single" oneof:"single,bulk" group:"Traffic" help:"single: one request per hit, as browsers send them. bulk: the hits of many visitors in one request, to fill a Matomo quickly."`
	BulkSize     int       `env:"BULK_SIZE" name:"Bulk size" role:"behaviour" envDefault:"100" min:"1" max:"2000" unit:"hits" group:"Traffic" help:"Maximum number of hits per bulk request. Reduced automatically if the server rejects large requests."`
	BulkMaxDelay float64   `env:"BULK_MAX_DELAY" name:"Bulk delay" role:"behaviour" envDefault:"1" min:"0" max:"60" unit:"s" group:"Traffic" help:"Maximum time a hit waits for its bulk request to fill up."`
	Timeline     string    `env:"TIMELINE" name:"Timeline" role:"behaviour" widget:"timeline" envDefault:"compressed" oneof:"compressed,live" group:"Traffic" help:"compressed: a visit lies in the recent past and is sent within seconds. live: every hit is sent at its own time."`

	Timezone calendar.Zone `env:"TIMEZONE" name:"Time zone" role:"behaviour" widget:"zone" envDefault:"CET" group:"Traffic" help:"Time zone of the Matomo site: an IANA name (Europe/Stockholm) or Matomo's notation (UTC+5.5). No visit crosses midnight in this zone."`

	PageviewsMin      int     `env:"PAGEVIEWS_MIN" name:"Pages per visit, min" role:"behaviour" notabove:"PAGEVIEWS_MAX" widget:"pages" envDefault:"3" min:"1" max:"100" unit:"pages" group:"Visits" help:"Minimum number of pages per visit."`
	PageviewsMax      int     `env:"PAGEVIEWS_MAX" name:"Pages per visit, max" role:"behaviour" widget:"pages" envDefault:"6" min:"1" max:"100" unit:"pages" group:"Visits" help:"Maximum number of pages per visit."`
	BounceProbability float64 `env:"BOUNCE_PROBABILITY" name:"Bounces" role:"behaviour" envDefault:"0" min:"0" max:"1" group:"Visits" help:"Share of browsing visits that leave after one page and do nothing else."`
	PauseMin          float64 `env:"PAUSE_BETWEEN_PVS_MIN" name:"Pause between requests, min" role:"behaviour" notabove:"PAUSE_BETWEEN_PVS_MAX" envDefault:"0.5" min:"0" max:"60" unit:"s" group:"Visits" help:"Minimum pause between two requests of a visit, in real time (compressed timeline)."`
	PauseMax          float64 `env:"PAUSE_BETWEEN_PVS_MAX" name:"Pause between requests, max" role:"behaviour" envDefault:"2.0" min:"0" max:"60" unit:"s" group:"Visits" help:"Maximum pause between two requests of a visit, in real time (compressed timeline)."`
	DurationMin       float64 `env:"VISIT_DURATION_MIN" name:"Visit duration, min" role:"behaviour" notabove:"VISIT_DURATION_MAX" envDefault:"1.0" min:"0.1" max:"120" unit:"min" group:"Visits" help:"Minimum duration of a visit as Matomo records it."`
	DurationMax       float64 `env:"VISIT_DURATION_MAX" name:"Visit duration, max" role:"behaviour" envDefault:"8.0" min:"0.1" max:"120" unit:"min" group:"Visits" help:"Maximum duration of a visit as Matomo records it."`

	SearchProbability      float64 `env:"SITESEARCH_PROBABILITY" name:"Site searches" role:"behaviour" envDefault:"0.15" min:"0" max:"1" group:"Features" help:"Share of browsing visits (without bounces) with a site search."`
	OutlinkProbability     float64 `env:"OUTLINKS_PROBABILITY" name:"Outlinks" role:"behaviour" envDefault:"0.10" min:"0" max:"1" group:"Features" help:"Share of browsing visits (without bounces) that follow an outlink."`
	DownloadProbability    float64 `env:"DOWNLOADS_PROBABILITY" name:"Downloads" role:"behaviour" envDefault:"0.08" min:"0" max:"1" group:"Features" help:"Share of browsing visits (without bounces) with a download."`
	ClickEventProbability  float64 `env:"CLICK_EVENTS_PROBABILITY" name:"Click events" role:"behaviour" envDefault:"0.25" min:"0" max:"1" group:"Features" help:"Share of browsing visits (without bounces) with a click event from events.json."`
	RandomEventProbability float64 `env:"RANDOM_EVENTS_PROBABILITY" name:"Random events" role:"behaviour" envDefault:"0.12" min:"0" max:"1" group:"Features" help:"Share of browsing visits (without bounces) with a random event from events.json."`

	DirectProbability  float64 `env:"DIRECT_TRAFFIC_PROBABILITY" name:"Direct traffic" role:"behaviour" envDefault:"0.30" min:"0" max:"1" group:"Sources" help:"Share of visits without a referrer. The others come from search engines (50 %), social networks (21 %) and websites (29 %)."`
	RandomizeCountries bool    `env:"RANDOMIZE_VISITOR_COUNTRIES" name:"Visitors from many countries" role:"behaviour" envDefault:"true" group:"Sources" help:"Visitors come from many countries. Country, city and IP address are sent only with a token; without one, only the browser language varies."`

	EcommerceProbability float64   `env:"ECOMMERCE_PROBABILITY" name:"Orders" role:"behaviour" envDefault:"0.05" min:"0" max:"1" group:"Shop" help:"Share of browsing visits (without bounces) with an order."`
	OrderValueMin        float64   `env:"ECOMMERCE_ORDER_VALUE_MIN" name:"Order value, min" role:"behaviour" notabove:"ECOMMERCE_ORDER_VALUE_MAX" envDefault:"15.99" min:"0.01" max:"1e7" unit:"money" group:"Shop" help:"Minimum revenue of an order, including tax and shipping."`
	OrderValueMax        float64   `env:"ECOMMERCE_ORDER_VALUE_MAX" name:"Order value, max" role:"behaviour" envDefault:"299.99" min:"0.01" max:"1e7" unit:"money" group:"Shop" help:"Maximum revenue of an order, including tax and shipping."`
	ItemsMin             int       `env:"ECOMMERCE_ITEMS_MIN" name:"Items per order, min" role:"behaviour" notabove:"ECOMMERCE_ITEMS_MAX" envDefault:"1" min:"1" max:"20" unit:"items" group:"Shop" help:"Minimum number of different items in an order."`
	ItemsMax             int       `env:"ECOMMERCE_ITEMS_MAX" name:"Items per order, max" role:"behaviour" envDefault:"5" min:"1" max:"20" unit:"items" group:"Shop" help:"Maximum number of different items in an order."`
	TaxRate              float64   `env:"ECOMMERCE_TAX_RATE" name:"Tax rate" role:"behaviour" envDefault:"0.10" min:"0" max:"1" group:"Shop" help:"Tax as a fraction of subtotal and shipping."`
	ShippingRates        []float64 `env:"ECOMMERCE_SHIPPING_RATES" name:"Shipping costs" role:"behaviour" envDefault:"0,5.99,9.99,15.99" min:"0" max:"1e6" unit:"money" group:"Shop" help:"Shipping costs to choose from, comma-separated."`
	Currency             string    `env:"ECOMMERCE_CURRENCY" name:"Currency" role:"verdict" widget:"currency" envDefault:"SEK" group:"Shop" help:"Currency of the amounts (ISO 4217), compared with the site's by loadgen check --connect. It is not sent: Matomo uses the site's currency."`

	AutoStopHours   float64 `env:"AUTO_STOP_AFTER_HOURS" name:"Stop after hours" role:"behaviour" envDefault:"0" min:"0" max:"168" unit:"h" group:"Limits" help:"Start no new visits after this time; open visits are finished. 0 = never."`
	MaxTotalVisits  int64   `env:"MAX_TOTAL_VISITS" name:"Cap per 24 hours" role:"behaviour" envDefault:"0" min:"0" max:"1e12" unit:"visits/24 h" group:"Limits" help:"Maximum number of visits per 24-hour window, which opens with its first visit. The run pauses at the cap until the window closes. 0 = no cap."`
	StopAfterVisits int64   `env:"STOP_AFTER_VISITS" name:"Stop after visits" role:"behaviour" envDefault:"0" min:"0" max:"1e12" unit:"visits" group:"Limits" help:"End the run after exactly this many visits. 0 = never."`

	StopErrorShare float64 `env:"STOP_ERROR_SHARE" name:"Error brake" role:"verdict" widget:"brake" envDefault:"0" min:"0" max:"1" group:"Limits" help:"Stop the run with exit code 4 if more than this share of the last minute's hits was not accepted, over all targets. 0 = off."`
	Thresholds     string  `env:"THRESHOLDS" name:"Thresholds" role:"verdict" widget:"thresholds" group:"Limits" help:"Conditions for the run to pass, comma-separated: error_share<1%, p95<800ms, achieved_rate>98%, unknown=0. A run that fails one exits with code 4. Default: error_share<50%."`
	ThresholdAbort bool    `env:"THRESHOLD_ABORT" name:"Stop on failed threshold" role:"verdict" envDefault:"false" group:"Limits" help:"Stop the run as soon as a threshold has failed for ten seconds."`

	CapacitySearch bool    `env:"CAPACITY_SEARCH" name:"Capacity search" role:"behaviour" widget:"capacity" envDefault:"false" group:"Capacity search" help:"Find the highest arrival rate at which THRESHOLDS pass: increase in steps, bisect, then confirm for a minute. Default thresholds: error_share<1%, p95<1s, achieved_rate>98%."`
	CapacityFrom   float64 `env:"CAPACITY_FROM" name:"Start rate" role:"behaviour" widget:"steps" envDefault:"1" min:"0.01" max:"100000" unit:"visits/s" group:"Capacity search" help:"Arrival rate of the first step."`
	CapacityTo     float64 `env:"CAPACITY_TO" name:"Maximum rate" role:"behaviour" widget:"steps" envDefault:"1000" min:"0.01" max:"100000" unit:"visits/s" group:"Capacity search" help:"Highest arrival rate to try."`
	CapacityStep   float64 `env:"CAPACITY_STEP" name:"Step duration" role:"behaviour" widget:"steps" envDefault:"10" min:"2" max:"600" unit:"s" group:"Capacity search" help:"Measured time of each step, after it has settled."`

	BackfillEnabled  bool    `env:"BACKFILL_ENABLED" role:"behaviour" envDefault:"false" group:"Backfill" help:"Send past days instead of live traffic, then exit. The controller runs a backfill beside live traffic, as a job."`
	BackfillStart    string  `env:"BACKFILL_START_DATE" name:"First day" role:"behaviour" widget:"date" group:"Backfill" help:"First day, YYYY-MM-DD in TIMEZONE; use with BACKFILL_END_DATE. Alternatively set BACKFILL_DAYS_BACK and BACKFILL_DURATION_DAYS."`
	BackfillEnd      string  `env:"BACKFILL_END_DATE" name:"Last day" role:"behaviour" widget:"date" group:"Backfill" help:"Last day, YYYY-MM-DD in TIMEZONE, at most today. Today is filled up to the current time."`
	BackfillDaysBack *int    `env:"BACKFILL_DAYS_BACK" name:"Days back" role:"behaviour" widget:"days" min:"1" max:"365" unit:"days" group:"Backfill" help:"How many days ago to start: 1 = yesterday. Use with BACKFILL_DURATION_DAYS."`
	BackfillDuration *int    `env:"BACKFILL_DURATION_DAYS" name:"Number of days" role:"behaviour" widget:"days" min:"1" max:"365" unit:"days" group:"Backfill" help:"Number of days to send, at most 180."`
	BackfillPerDay   int64   `env:"BACKFILL_MAX_VISITS_PER_DAY" name:"Max. visits per day" role:"behaviour" widget:"backfill" envDefault:"2000" min:"0" max:"1000000" unit:"visits/day" group:"Backfill" help:"Daily cap. If the busiest day is above it, all days are scaled down to fit. 0 = no cap."`
	BackfillTotal    int64   `env:"BACKFILL_MAX_VISITS_TOTAL" name:"Max. visits in total" role:"behaviour" widget:"backfill" envDefault:"200000" min:"0" max:"1e9" unit:"visits" group:"Backfill" help:"Cap on all visits of the job; later days are skipped. 0 = no cap."`
	BackfillTrend    float64 `env:"BACKFILL_WEEKLY_TREND" name:"Weekly trend" role:"behaviour" widget:"trend" envDefault:"0" min:"-0.5" max:"1" group:"Backfill" help:"Growth per week: 0.02 = 2 % more visits each week."`
	BackfillRPS      float64 `env:"BACKFILL_RPS_LIMIT" name:"Request limit" role:"speed" widget:"backfill" envDefault:"0" min:"0" max:"500" unit:"requests/s" group:"Backfill" help:"Maximum number of requests per second; each carries many hits. 0 = no limit."`
	BackfillShards   int     `env:"BACKFILL_SHARDS" name:"Parallel requests" role:"speed" widget:"backfill" envDefault:"2" min:"1" max:"64" unit:"requests" group:"Backfill" help:"Requests in flight; all hits of a visitor stay in one. On two cores, Matomo was measured to take 1.5 times as many hits per second with 2 as with 1, and 1.8 times with 4."`
	BackfillSeed     *uint64 `env:"BACKFILL_SEED" name:"Seed" role:"behaviour" widget:"backfill" min:"0" max:"9007199254740991" group:"Backfill" help:"RUN_SEED for backfills. Default: RUN_SEED."`

	AutoStart    bool    `env:"AUTO_START" role:"run" instead:"start and stop the run" envDefault:"true" group:"Run" help:"Start immediately. Off: stay idle until stopped."`
	RunSeed      *uint64 `env:"RUN_SEED" name:"Seed" role:"run" min:"0" max:"9007199254740991" group:"Run" help:"Seed of all randomness: the same seed and settings produce the same visits. Default: random, printed and stored."`
	RunID        string  `env:"RUN_ID" name:"Run ID" role:"run" widget:"runid" group:"Run" help:"Name of the run, part of every visitor and order ID: up to 64 letters, digits, - and _. Reusing a name resumes that run. Default: generated."`
	RunDimension int     `env:"RUN_DIMENSION" name:"Run ID dimension" role:"behaviour" envDefault:"0" min:"0" max:"999" group:"Run" help:"Number of an active custom dimension (scope visit) that receives RUN_ID, so that Matomo can isolate this run's visits. 0 = none."`
	SiteURL      string  `env:"SITE_URL" name:"Base URL of built-in pages" role:"behaviour" widget:"host" group:"Run" help:"Base URL of the built-in pages. Default: https://shop.example.test."`
	URLsFile     string  `env:"URLS_FILE" role:"behaviour" instead:"use the URL list" path:"true" group:"Run" help:"File of pages, one URL and title per line: up to 200,000 lines of 8 KiB, 32 MiB in total. Default: urls.txt of the exchange folder, or the built-in pages."`
	FunnelsFile  string  `env:"FUNNEL_CONFIG_PATH" role:"behaviour" instead:"use the funnels" path:"true" group:"Run" help:"File of funnels. Default: funnels.json of the exchange folder, or none."`
	StartID      string  `env:"START_ID" role:"run" instead:"start and stop the run" group:"Run" help:"Identifies this start, so that it happens once: if STATE_DIR has recorded it already, the loadgen stays idle. Set by the controller. Default: every start counts."`
	EnvFile      string  `env:"LOADGEN_ENV_FILE" role:"place" instead:"set it where the loadgen is started" group:"Run" help:"Settings file, one KEY=value per line, which overrides the environment. Relative paths in it start at its own folder. Without it, a loadgen.env in EXCHANGE_DIR is ignored."`
	ExchangeDir  string  `env:"EXCHANGE_DIR" role:"place" instead:"set it where the loadgen is started" path:"true" group:"Run" help:"Folder of urls.txt, events.json, funnels.json and targets.json."`
	StateDir     string  `env:"STATE_DIR" role:"place" instead:"set it where the loadgen is started" path:"true" group:"Run" help:"Folder of the ledger and the daily cap. Without it, neither survives a restart."`
	SummaryFile  string  `env:"SUMMARY_FILE" role:"place" instead:"read the run summary" path:"true" group:"Run" help:"Write the run summary to this file, as JSON."`

	LogLevel      string `env:"LOG_LEVEL" name:"Log level" role:"log" envDefault:"INFO" oneof:"DEBUG,INFO,WARNING,ERROR" group:"Telemetry" help:"Minimum level to log."`
	LogFormat     string `env:"LOG_FORMAT" name:"Log format" role:"log" envDefault:"text" oneof:"text,json" group:"Telemetry" help:"Format of log lines."`
	TelemetryAddr string `env:"TELEMETRY_ADDR" role:"place" instead:"set it where the loadgen is started" envDefault:"127.0.0.1:8010" group:"Telemetry" help:"Listen address of /metrics and /healthz; \"off\" disables them."`

	// Set has the keys that were given a value; the others have their default.
	Set map[string]bool
}

// BackfillGroup is the group of a backfill's settings.
const BackfillGroup = "Backfill"

// BulkConcurrency is the default of CONCURRENCY in bulk mode: it keeps Matomo busy. Measured on 5.2.0-b5 (PHP-FPM 8.2
// and MariaDB 10.11 on two cores) with 100 hits per request and 1,250 hits per second for 2 s: with 1, 2 and 4 in
// flight, 53, 77 and 82 % of the hits were accepted in time, with 8, 16 and 50 all. In 33 such runs, 15 of them during
// a backfill, no request met a deadlock. In 12 runs with 25 hits per request during a backfill with four in flight, two
// did, in the first second on an emptied Matomo with cold caches, one with 2 and one with 50 in flight: it was sent
// again, and nothing was lost.
const BulkConcurrency = 8

// obsolete are keys of the original without effect here; they are accepted with a warning.
var obsolete = []string{"START_SIGNAL_FILE", "START_CHECK_INTERVAL", "BACKFILL_RUN_ONCE", "BACKFILL_HISTORY_PATH",
	"BACKFILL_CONTAINER_PREFIX"}

// IsObsolete reports whether key is a setting of the original that has no effect here.
func IsObsolete(key string) bool { return slices.Contains(obsolete, key) }

// Extra is something that can happen on a page of a visit in addition to the page view.
type Extra struct {
	Kind hit.Kind
	// Key is the setting for the share of visits in which it happens, Share its value.
	Key   string
	Share func(*Spec) float64
	// Events returns the events to draw from and their share in events.json; nil unless Kind is an event.
	Events func(*eventset.Set) ([]eventset.Event, *float64)
}

// Extras are drawn in this order for each visit: changing it changes the visits of a seed.
var Extras = []Extra{
	{Kind: hit.Search, Key: "SITESEARCH_PROBABILITY", Share: func(s *Spec) float64 { return s.SearchProbability }},
	{Kind: hit.Event, Key: "CLICK_EVENTS_PROBABILITY", Share: func(s *Spec) float64 { return s.ClickEventProbability },
		Events: func(e *eventset.Set) ([]eventset.Event, *float64) { return e.Click, e.ClickProbability }},
	{
		Kind:   hit.Event,
		Key:    "RANDOM_EVENTS_PROBABILITY",
		Share:  func(s *Spec) float64 { return s.RandomEventProbability },
		Events: func(e *eventset.Set) ([]eventset.Event, *float64) { return e.Random, e.RandomProbability },
	},
	{Kind: hit.Download, Key: "DOWNLOADS_PROBABILITY", Share: func(s *Spec) float64 { return s.DownloadProbability }},
	{Kind: hit.Outlink, Key: "OUTLINKS_PROBABILITY", Share: func(s *Spec) float64 { return s.OutlinkProbability }},
	{Kind: hit.Order, Key: "ECOMMERCE_PROBABILITY", Share: func(s *Spec) float64 { return s.EcommerceProbability }},
}
