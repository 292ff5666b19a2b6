// Package spec owns the knobs: their names, defaults, bounds, units, help and the rules between them. It knows
// neither where values come from nor what the loadgen does with them; rules that need a file are the plan's.
package spec

import (
	"slices"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Spec holds one value for each knob. A knob is declared here and nowhere else; the tags are read by Fields.
//
// Tags: env and envDefault as in caarlos0/env; name, group and help for people; unit; min and max are inclusive bounds;
// oneof lists the permitted words; role says what kind of decision a knob is, see Role; widget is with what a form
// edits it, where its kind does not tell; secret keeps the value out of every output and gives the knob a _FILE form;
// path is that of a file or folder. In a file of settings a relative one, and that of a _FILE form, begins in the
// folder of that file.
type Spec struct {
	MatomoURL       string        `env:"MATOMO_URL" name:"Tracker address" role:"target" group:"Target" help:"Address of the Matomo or of its tracker, such as https://host/matomo.php. Needed for a run unless targets are given."`
	MatomoSiteID    int           `env:"MATOMO_SITE_ID" name:"Site" role:"target" envDefault:"1" min:"1" group:"Target" help:"Matomo site that records the traffic."`
	MatomoToken     secret.String `env:"MATOMO_TOKEN_AUTH" name:"Token" role:"target" secret:"true" group:"Target" help:"Token of a user with write access to the site, sent in POST bodies only. Without it visits are recorded, but with the generator's own address and country."`
	MatomoReadToken secret.String `env:"MATOMO_READ_TOKEN" name:"Token to read with" role:"target" secret:"true" group:"Target" help:"Token of a user who may view the site, with which the controller reads what was recorded. Unset: MATOMO_TOKEN_AUTH. The loadgen never gets it."`
	MatomoAPIURL    string        `env:"MATOMO_API_URL" name:"Address of the API" role:"target" group:"Target" help:"Address of the Reporting API, https://host/index.php, where it is not in the folder of the tracker."`
	MatomoHTTPAuth  secret.String `env:"MATOMO_HTTP_AUTH" name:"User and password" role:"target" secret:"true" group:"Target" help:"user:password for a server that asks for them (Basic authentication) in front of Matomo; also taken out of the address, https://user:password@host/matomo.php. For MATOMO_URL alone."`
	MatomoHeaders   secret.String `env:"MATOMO_HEADERS" name:"Headers" role:"target" widget:"lines" secret:"true" group:"Target" help:"Headers sent with every request to MATOMO_URL, Name: value, one a line (\\n between double quotes in a file of settings)."`
	TLSCAFile       string        `env:"TLS_CA_FILE" name:"Certificate authority" role:"target" path:"true" group:"Target" help:"PEM file of certificate authorities to trust besides the machine's, for every target that names none itself."`
	TLSCertFile     string        `env:"TLS_CERT_FILE" name:"Client certificate" role:"target" path:"true" group:"Target" help:"PEM file of the client certificate to show to MATOMO_URL."`
	TLSKeyFile      string        `env:"TLS_KEY_FILE" name:"Key of the client certificate" role:"target" path:"true" group:"Target" help:"PEM file of its private key. Unset: TLS_CERT_FILE."`
	TLSVerify       bool          `env:"TLS_VERIFY" name:"Verify TLS certificate" role:"target" envDefault:"true" group:"Target" help:"Check the server's certificate. Off only for a test server with a certificate of its own making; TLS_CA_FILE names an authority of your own."`
	ProxyURL        secret.String `env:"PROXY_URL" name:"Proxy" role:"target" secret:"true" group:"Target" help:"Proxy on the way to every target that names none itself: http://host:port, http://user:password@host:port, or none for a direct connection. Unset: HTTP_PROXY, HTTPS_PROXY and NO_PROXY."`
	MultiTarget     secret.String `env:"MULTI_TARGET_CONFIG" role:"target" secret:"true" group:"Target" help:"Several targets as JSON: {\"targets\":[{\"name\",\"url\",\"site_id\",\"token_auth\",\"weight\",\"enabled\",\"api_url\",\"http_auth\",\"headers\",\"tls_ca_file\",\"tls_cert_file\",\"tls_key_file\",\"proxy_url\"}],\"distribution_strategy\":\"round-robin|weighted|random\"}. Wins over MATOMO_*."`
	RequestTimeout  float64       `env:"REQUEST_TIMEOUT" name:"Request timeout" role:"speed" envDefault:"10" min:"0.1" max:"300" unit:"s" group:"Target" help:"How long one request may take in all; one of a backfill, where this is not set, 300 s."`

	VisitsPerDay float64   `env:"TARGET_VISITS_PER_DAY" name:"Visits per day" role:"behaviour" envDefault:"20000" min:"1" max:"1e10" unit:"visits/day" group:"Traffic" help:"Arrival rate; with LOAD_PROFILE=week that of a mean day."`
	LoadProfile  string    `env:"LOAD_PROFILE" name:"Load profile" role:"behaviour" widget:"profile" envDefault:"constant" group:"Traffic" help:"How the rate changes with time. constant: TARGET_VISITS_PER_DAY. week: the day and week of LOAD_CURVE. Else stages with rates in visits a day, after which the run ends: 10m:0→20000, 1h:20000, 5m:200000 (-> is as good)."`
	LoadCurve    []float64 `env:"LOAD_CURVE" name:"Curve of the week" role:"behaviour" widget:"curve" min:"0" max:"1e6" unit:"weights" group:"Traffic" help:"Weights of the hours of a day (24) or of a week (168, from Monday 0 h), in TIMEZONE, separated by commas; only their proportions count. Unset: a typical site."`
	Arrivals     string    `env:"ARRIVALS" name:"Arrivals" role:"behaviour" envDefault:"even" oneof:"even,poisson" group:"Traffic" help:"even: arrivals keep equal distances. poisson: they are as random as people's, but each hour or stage has exactly its number."`
	Concurrency  int       `env:"CONCURRENCY" name:"Concurrency" role:"speed" envDefault:"50" min:"1" max:"10000" unit:"requests" group:"Traffic" help:"Most requests in flight at once; in bulk, where it is not set, 8. It does not bound open visits."`
	SendMode     string    `env:"SEND_MODE" name:"Send mode" role:"behaviour" envDefault:"single" oneof:"single,bulk" group:"Traffic" help:"single: every hit is a request, as browsers send them. bulk: many visitors' hits go in one request, to fill a Matomo quickly."`
	BulkSize     int       `env:"BULK_SIZE" name:"Bulk size" role:"behaviour" envDefault:"100" min:"1" max:"2000" unit:"hits" group:"Traffic" help:"Most hits of a bulk request; fewer where the server takes no requests so large."`
	BulkMaxDelay float64   `env:"BULK_MAX_DELAY" name:"Bulk delay" role:"behaviour" envDefault:"1" min:"0" max:"60" unit:"s" group:"Traffic" help:"How long a hit waits at most until its bulk request is full."`
	Timeline     string    `env:"TIMELINE" name:"Timeline" role:"behaviour" envDefault:"compressed" oneof:"compressed,live" group:"Traffic" help:"compressed: a visit's minutes lie in the recent past and its requests are seconds apart. live: every hit is sent at its own moment."`

	Timezone calendar.Zone `env:"TIMEZONE" name:"Time zone" role:"behaviour" widget:"zone" envDefault:"CET" group:"Traffic" help:"Time zone of the Matomo site, as an IANA name (Europe/Stockholm) or as Matomo writes it (UTC+5.5): visits are kept inside its days."`

	PageviewsMin      int     `env:"PAGEVIEWS_MIN" name:"Pages per visit, least" role:"behaviour" envDefault:"3" min:"1" max:"100" unit:"pages" group:"Visits" help:"Fewest pages of a visit."`
	PageviewsMax      int     `env:"PAGEVIEWS_MAX" name:"Pages per visit, most" role:"behaviour" envDefault:"6" min:"1" max:"100" unit:"pages" group:"Visits" help:"Most pages of a visit."`
	BounceProbability float64 `env:"BOUNCE_PROBABILITY" name:"Bounces" role:"behaviour" envDefault:"0" min:"0" max:"1" group:"Visits" help:"Share of browsing visits that leave after one page and do nothing else."`
	PauseMin          float64 `env:"PAUSE_BETWEEN_PVS_MIN" name:"Pause between requests, least" role:"behaviour" envDefault:"0.5" min:"0" max:"60" unit:"s" group:"Visits" help:"Shortest real pause between two requests of a visit (compressed timeline)."`
	PauseMax          float64 `env:"PAUSE_BETWEEN_PVS_MAX" name:"Pause between requests, most" role:"behaviour" envDefault:"2.0" min:"0" max:"60" unit:"s" group:"Visits" help:"Longest real pause between two requests of a visit (compressed timeline)."`
	DurationMin       float64 `env:"VISIT_DURATION_MIN" name:"Visit duration, least" role:"behaviour" envDefault:"1.0" min:"0.1" max:"120" unit:"min" group:"Visits" help:"Shortest recorded duration of a visit."`
	DurationMax       float64 `env:"VISIT_DURATION_MAX" name:"Visit duration, most" role:"behaviour" envDefault:"8.0" min:"0.1" max:"120" unit:"min" group:"Visits" help:"Longest recorded duration of a visit."`

	SearchProbability      float64 `env:"SITESEARCH_PROBABILITY" name:"Site searches" role:"behaviour" envDefault:"0.15" min:"0" max:"1" group:"Features" help:"Share of browsing visits (bounces apart) with a site search."`
	OutlinkProbability     float64 `env:"OUTLINKS_PROBABILITY" name:"Outlinks" role:"behaviour" envDefault:"0.10" min:"0" max:"1" group:"Features" help:"Share of browsing visits (bounces apart) that follow a link to another site."`
	DownloadProbability    float64 `env:"DOWNLOADS_PROBABILITY" name:"Downloads" role:"behaviour" envDefault:"0.08" min:"0" max:"1" group:"Features" help:"Share of browsing visits (bounces apart) with a download."`
	ClickEventProbability  float64 `env:"CLICK_EVENTS_PROBABILITY" name:"Click events" role:"behaviour" envDefault:"0.25" min:"0" max:"1" group:"Features" help:"Share of browsing visits (bounces apart) with a click event of events.json."`
	RandomEventProbability float64 `env:"RANDOM_EVENTS_PROBABILITY" name:"Random events" role:"behaviour" envDefault:"0.12" min:"0" max:"1" group:"Features" help:"Share of browsing visits (bounces apart) with a random event of events.json."`

	DirectProbability  float64 `env:"DIRECT_TRAFFIC_PROBABILITY" name:"Direct traffic" role:"behaviour" envDefault:"0.30" min:"0" max:"1" group:"Sources" help:"Share of visits without a referrer. The rest splits into search 50, social 21 and websites 29 of 100."`
	RandomizeCountries bool    `env:"RANDOMIZE_VISITOR_COUNTRIES" name:"Visitors from many countries" role:"behaviour" envDefault:"true" group:"Sources" help:"Visitors come from many countries. Country, city and address are sent only with a token; without one only the language tells."`

	EcommerceProbability float64   `env:"ECOMMERCE_PROBABILITY" name:"Orders" role:"behaviour" envDefault:"0.05" min:"0" max:"1" group:"Shop" help:"Share of browsing visits (bounces apart) with an order."`
	OrderValueMin        float64   `env:"ECOMMERCE_ORDER_VALUE_MIN" name:"Order value, least" role:"behaviour" envDefault:"15.99" min:"0.01" max:"1e7" unit:"money" group:"Shop" help:"Least revenue of an order, tax and shipping included."`
	OrderValueMax        float64   `env:"ECOMMERCE_ORDER_VALUE_MAX" name:"Order value, most" role:"behaviour" envDefault:"299.99" min:"0.01" max:"1e7" unit:"money" group:"Shop" help:"Most revenue of an order, tax and shipping included."`
	ItemsMin             int       `env:"ECOMMERCE_ITEMS_MIN" name:"Lines per order, fewest" role:"behaviour" envDefault:"1" min:"1" max:"20" unit:"lines" group:"Shop" help:"Fewest lines of an order."`
	ItemsMax             int       `env:"ECOMMERCE_ITEMS_MAX" name:"Lines per order, most" role:"behaviour" envDefault:"5" min:"1" max:"20" unit:"lines" group:"Shop" help:"Most lines of an order."`
	TaxRate              float64   `env:"ECOMMERCE_TAX_RATE" name:"Tax rate" role:"behaviour" envDefault:"0.10" min:"0" max:"1" group:"Shop" help:"Tax as a fraction of subtotal and shipping."`
	ShippingRates        []float64 `env:"ECOMMERCE_SHIPPING_RATES" name:"Shipping costs" role:"behaviour" envDefault:"0,5.99,9.99,15.99" min:"0" max:"1e6" unit:"money" group:"Shop" help:"Shipping costs to draw from, separated by commas."`
	Currency             string    `env:"ECOMMERCE_CURRENCY" name:"Currency" role:"verdict" widget:"currency" envDefault:"SEK" group:"Shop" help:"Currency in which you think of the amounts (ISO 4217). Nothing of it is sent: Matomo books every amount in the currency set for the site."`

	AutoStopHours   float64 `env:"AUTO_STOP_AFTER_HOURS" name:"Stop after hours" role:"behaviour" envDefault:"0" min:"0" max:"168" unit:"h" group:"Limits" help:"No new visits after this long; open ones are finished. 0 is off."`
	MaxTotalVisits  int64   `env:"MAX_TOTAL_VISITS" name:"Cap per 24 hours" role:"behaviour" envDefault:"0" min:"0" max:"1e12" unit:"visits/24 h" group:"Limits" help:"Cap in each 24 hours, counted from the window's first visit; then pause, then go on. 0 is off."`
	StopAfterVisits int64   `env:"STOP_AFTER_VISITS" name:"Stop after visits" role:"behaviour" envDefault:"0" min:"0" max:"1e12" unit:"visits" group:"Limits" help:"The run ends after exactly this many visits. 0 is off."`

	StopErrorShare float64 `env:"STOP_ERROR_SHARE" name:"Error brake" role:"verdict" envDefault:"0" min:"0" max:"1" group:"Limits" help:"Error brake: the run stops with exit code 4 when more than this share of the hits that ended in the last minute was not accepted, over all targets. 0 is off."`
	Thresholds     string  `env:"THRESHOLDS" name:"Thresholds" role:"verdict" widget:"thresholds" group:"Limits" help:"What must hold for the run to pass, separated by commas: error_share<1%, p95<800ms, achieved_rate>98%, unknown=0. A run that misses one ends with exit code 4. Where none is set, error_share<50% is built in."`
	ThresholdAbort bool    `env:"THRESHOLD_ABORT" name:"Stop where a threshold is missed" role:"verdict" envDefault:"false" group:"Limits" help:"Stop the run as soon as a threshold is missed for ten seconds."`

	CapacitySearch bool    `env:"CAPACITY_SEARCH" name:"Search the limit" role:"behaviour" envDefault:"false" group:"Capacity search" help:"Search the highest rate at which THRESHOLDS hold instead of sending at a given one: raise in steps, bisect, confirm for a minute. Unset thresholds are error_share<1%, p95<1s, achieved_rate>98%."`
	CapacityFrom   float64 `env:"CAPACITY_FROM" name:"First rate" role:"behaviour" envDefault:"1" min:"0.01" max:"100000" unit:"visits/s" group:"Capacity search" help:"Rate of the first step."`
	CapacityTo     float64 `env:"CAPACITY_TO" name:"Highest rate" role:"behaviour" envDefault:"1000" min:"0.01" max:"100000" unit:"visits/s" group:"Capacity search" help:"Highest rate that is tried."`
	CapacityStep   float64 `env:"CAPACITY_STEP" name:"Length of a step" role:"behaviour" envDefault:"10" min:"2" max:"600" unit:"s" group:"Capacity search" help:"How long a step is measured, after it has settled."`

	BackfillEnabled  bool    `env:"BACKFILL_ENABLED" role:"behaviour" envDefault:"false" group:"Backfill" help:"Send past days instead of today's traffic, then end. Such a job runs beside live traffic, never in its place."`
	BackfillStart    string  `env:"BACKFILL_START_DATE" name:"First day" role:"behaviour" widget:"date" group:"Backfill" help:"First day, YYYY-MM-DD in TIMEZONE. With BACKFILL_END_DATE, or else the two of the relative window."`
	BackfillEnd      string  `env:"BACKFILL_END_DATE" name:"Last day" role:"behaviour" widget:"date" group:"Backfill" help:"Last day, today at most, of which only what has passed is sent."`
	BackfillDaysBack *int    `env:"BACKFILL_DAYS_BACK" name:"Days back" role:"behaviour" min:"1" max:"365" unit:"days" group:"Backfill" help:"First day as days before today: 1 is yesterday. With BACKFILL_DURATION_DAYS."`
	BackfillDuration *int    `env:"BACKFILL_DURATION_DAYS" name:"Number of days" role:"behaviour" min:"1" max:"365" unit:"days" group:"Backfill" help:"How many days from the first on, 180 at most."`
	BackfillPerDay   int64   `env:"BACKFILL_MAX_VISITS_PER_DAY" name:"Most visits a day" role:"behaviour" envDefault:"2000" min:"0" max:"1000000" unit:"visits/day" group:"Backfill" help:"Most visits of a day: where the busiest day would have more all days are scaled down alike. 0: as TARGET_VISITS_PER_DAY has them."`
	BackfillTotal    int64   `env:"BACKFILL_MAX_VISITS_TOTAL" name:"Most visits in all" role:"behaviour" envDefault:"200000" min:"0" max:"1e9" unit:"visits" group:"Backfill" help:"Most visits in all; days after that are skipped. 0 is off."`
	BackfillTrend    float64 `env:"BACKFILL_WEEKLY_TREND" name:"Weekly trend" role:"behaviour" envDefault:"0" min:"-0.5" max:"1" group:"Backfill" help:"Growth from week to week: 0.02 is 2 % more visits each week."`
	BackfillRPS      float64 `env:"BACKFILL_RPS_LIMIT" name:"Most requests" role:"speed" envDefault:"0" min:"0" max:"500" unit:"requests/s" group:"Backfill" help:"Most requests a second; each carries many hits. 0 is off."`
	BackfillShards   int     `env:"BACKFILL_SHARDS" name:"Requests at once" role:"speed" envDefault:"2" min:"1" max:"64" unit:"requests" group:"Backfill" help:"Requests in flight at once. A visitor's hits are all in one. A Matomo on two cores takes half as many hits a second again with 2 as with 1, and a fifth more with 4."`
	BackfillSeed     *uint64 `env:"BACKFILL_SEED" name:"Seed" role:"behaviour" min:"0" max:"9007199254740991" group:"Backfill" help:"RUN_SEED of a backfill, where it is to differ."`

	AutoStart    bool    `env:"AUTO_START" role:"run" envDefault:"true" group:"Run" help:"Begin at once. Off: wait idle until stopped."`
	RunSeed      *uint64 `env:"RUN_SEED" name:"Seed" role:"run" min:"0" max:"9007199254740991" group:"Run" help:"Fixes what visitors do. Drawn, printed and stored unless set."`
	RunID        string  `env:"RUN_ID" name:"Run id" role:"run" group:"Run" help:"Name of the run, part of every visitor and order id: letters, digits, - and _, at most 64. Drawn unless set; the same name again goes on where that run ended."`
	RunDimension int     `env:"RUN_DIMENSION" name:"Dimension of the run id" role:"behaviour" envDefault:"0" min:"0" max:"999" group:"Run" help:"Number of a custom dimension (scope visit, active) of the site that carries RUN_ID, so that Matomo can tell this run's visits apart. 0 is none."`
	SiteURL      string  `env:"SITE_URL" name:"Host of the built-in pages" role:"behaviour" group:"Run" help:"Host on which the built-in pages lie, as https://host. Unset: https://shop.example.test."`
	URLsFile     string  `env:"URLS_FILE" role:"behaviour" path:"true" group:"Run" help:"File of the pages, a URL and a title a line, at most 200,000 of 8 KiB each and 32 MiB in all. Unset: urls.txt of the exchange folder, else the built-in pages."`
	FunnelsFile  string  `env:"FUNNEL_CONFIG_PATH" role:"behaviour" path:"true" group:"Run" help:"File of the funnels. Unset: funnels.json of the exchange folder, else none."`
	StartID      string  `env:"START_ID" role:"run" group:"Run" help:"Name of this start, which counts once: where STATE_DIR says that it was made before, the loadgen idles. The controller draws one for each start. Unset: every start counts."`
	EnvFile      string  `env:"LOADGEN_ENV_FILE" role:"place" group:"Run" help:"File of settings that win over the environment, KEY=value a line. A relative name of a file or folder in it begins in its own folder. Unset: the environment alone; a loadgen.env in EXCHANGE_DIR is then left aside."`
	ExchangeDir  string  `env:"EXCHANGE_DIR" role:"place" path:"true" group:"Run" help:"Folder of urls.txt, events.json, funnels.json and targets.json."`
	StateDir     string  `env:"STATE_DIR" role:"place" path:"true" group:"Run" help:"Folder where the ledger and the daily cap are kept. Unset: neither survives a restart."`
	SummaryFile  string  `env:"SUMMARY_FILE" role:"place" path:"true" group:"Run" help:"File that gets the summary of the run as JSON."`

	LogLevel      string `env:"LOG_LEVEL" name:"Log level" role:"log" envDefault:"INFO" oneof:"DEBUG,INFO,WARNING,ERROR" group:"Telemetry" help:"Least level that is logged."`
	LogFormat     string `env:"LOG_FORMAT" name:"Log format" role:"log" envDefault:"text" oneof:"text,json" group:"Telemetry" help:"Form of the log."`
	TelemetryAddr string `env:"TELEMETRY_ADDR" role:"place" envDefault:"127.0.0.1:8010" group:"Telemetry" help:"Where /metrics and /healthz listen; \"off\" for nowhere."`

	// Set tells which knobs were given a value; the others hold their default.
	Set map[string]bool
}

// BackfillGroup is the group of the knobs that say which past days a job sends.
const BackfillGroup = "Backfill"

// BulkConcurrency is CONCURRENCY of a run in bulk where it is not set: as many requests as keep a Matomo busy. Measured
// on 5.2.0-b5 (PHP-FPM 8.2 and MariaDB 10.11 on two cores) with 100 hits a request and 1,250 hits a second for 2 s:
// with 1, 2 and 4 in flight it took 53, 77 and 82 % of the hits in time, with 8, 16 and 50 all. In 33 such runs, 15 of
// them beside a backfill, no request met a deadlock. In 12 with 25 hits a request, beside a backfill of four in flight,
// two did, in the first second on an emptied Matomo with cold caches, one with 2 and one with 50 in flight: it went
// again, and nothing was lost.
const BulkConcurrency = 8

// obsolete are keys of the original that have no meaning here; they are accepted with a warning.
var obsolete = []string{"START_SIGNAL_FILE", "START_CHECK_INTERVAL", "BACKFILL_RUN_ONCE", "BACKFILL_HISTORY_PATH",
	"BACKFILL_CONTAINER_PREFIX"}

// IsObsolete tells whether key is one of the original that has no meaning here.
func IsObsolete(key string) bool { return slices.Contains(obsolete, key) }

// Extra is something that can happen on a page of a visit beside its view.
type Extra struct {
	Kind hit.Kind
	// Key is the knob of the share of visits in which it happens, Share its value.
	Key   string
	Share func(*Spec) float64
	// Events are what an event is drawn from, and the share that events.json gives it itself; nil for what is no event.
	Events func(*eventset.Set) ([]eventset.Event, *float64)
}

// Extras are drawn in this order for each visit: a seed means the same visits only as long as it stays.
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
