// Package sink owns the counterpart of the sending side: an HTTP endpoint that answers like Matomo's tracker, counts
// what Matomo would record, and notes every hit that a strict reader of Matomo's rules would object to. It can be slow
// and fail on purpose. It refuses to know how hits are made: it parses for itself and shares no code with the sender,
// so that both cannot be wrong in the same way. Its facts are those of Matomo 5 (core/Tracker and the plugins named
// where they are used).
package sink

import (
	"hash/maphash"
	"math/rand/v2"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// Config says which Matomo the sink plays. The zero Config is sites 1 to 9 in CET, no token, no faults.
type Config struct {
	// Sites by their id; nil means 1 to 9 in CET.
	Sites map[int]Site
	// Tokens gives each token the sites it may write to. A token that is not listed has no right anywhere.
	Tokens map[string][]int
	// Viewers gives each token the sites it may view, beside those of Tokens. A token with write right on all sites is
	// a superuser's.
	Viewers map[string][]int
	// Delay is added before each answer of the tracker.
	Delay time.Duration
	// Limit is how many hits a second the tracker takes: what comes beyond it waits in a queue. 0 is no limit.
	Limit float64
	// ErrorShare is the share of requests, 0 to 1, that are answered with ErrorStatus and not stored.
	ErrorShare float64
	// ErrorStatus is the HTTP status of those; 0 means 500.
	ErrorStatus int
	// DropShare is the share of requests, 0 to 1, whose connection breaks after the request was read. A coin decides
	// whether the request was stored: the sender cannot know.
	DropShare float64
	// LoseShare and DuplicateShare are the shares of hits, 0 to 1, that are answered as tracked and not recorded, or
	// recorded twice.
	LoseShare, DuplicateShare float64
	// ArchiveDelay is how often the reports are made anew; 0 is always. What Live tells is never behind.
	ArchiveDelay time.Duration
	// Tracker are settings that change what becomes of hits; nil means Matomo's defaults.
	Tracker *Tracker
	// Outages are times at which nothing is taken.
	Outages []Window
	// ClockSkew is how far the sink's clock is ahead of the machine's.
	ClockSkew time.Duration
	// Seed fixes the draws of the shares.
	Seed uint64
	// Keep is how many of the last hits are kept for showing.
	Keep int
	// MaxOpen is how many visitors are kept before those idle for more than 31 minutes are forgotten; 0 means 200,000.
	MaxOpen int
	// Now is the machine's clock; nil means time.Now.
	Now func() time.Time
}

// Site is a website of the sink.
type Site struct {
	// Zone cuts the site's days; nil means CET.
	Zone *time.Location
}

// Sink is the endpoint. Its methods may be called from many goroutines.
type Sink struct {
	cfg   Config
	start time.Time
	rules ruleBook

	mu       sync.Mutex // guards all below
	rng      *rand.Rand // of requests
	chance   *rand.Rand // of hits
	seed     maphash.Seed
	counts   Counts
	visitors map[visitorKey]*visitor
	unique   map[visitorKey]struct{}
	orders   map[uint64]struct{} // hashes of site and order id
	inFlight map[visitorKey]int
	swept    time.Time
	free     time.Time // when the tracker has done the hits that are there
	shown    ring
	log      *reports.Log
	detailed []*reports.Visit // whose actions are kept
	failures map[failureKey]time.Time
	notes    []annotation
}

// New makes a sink; its outages count from now.
func New(cfg Config) *Sink {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ErrorStatus == 0 {
		cfg.ErrorStatus = http.StatusInternalServerError
	}
	if cfg.MaxOpen == 0 {
		cfg.MaxOpen = defaultMaxOpen
	}
	if cfg.Tracker == nil {
		cfg.Tracker = NewTracker()
	}
	cfg.Sites = withZones(cfg.Sites)
	s := &Sink{
		cfg: cfg, start: cfg.Now(), rng: rand.New(rand.NewPCG(cfg.Seed, 0)), seed: maphash.MakeSeed(),
		visitors: map[visitorKey]*visitor{}, unique: map[visitorKey]struct{}{}, orders: map[uint64]struct{}{},
		chance: rand.New(rand.NewPCG(cfg.Seed, 1)), failures: map[failureKey]time.Time{},
		inFlight: map[visitorKey]int{}, shown: ring{size: cfg.Keep},
		counts: Counts{Rejected: map[string]int64{}, Excluded: map[string]int64{}, Faults: map[string]int64{},
			Sites: map[int]*SiteCounts{}},
	}
	s.log = reports.NewLog(cfg.ArchiveDelay, s.now())
	for id := range cfg.Sites {
		s.counts.Sites[id] = newSiteCounts()
	}
	return s
}

// ServeHTTP is the tracker at any path that ends in matomo.php or piwik.php, the Reporting API at one that ends in
// index.php, and else shows what was seen:
// / for people, /sink/counts, /sink/hits and /sink/violations as JSON.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch base := path.Base(r.URL.Path); {
	case base == "matomo.php", base == "piwik.php":
		s.serveTracker(w, r)
	case base == "index.php":
		s.serveReporting(w, r)
	case r.Method != http.MethodGet:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		s.servePage(w)
	case r.URL.Path == "/sink/counts":
		answerJSON(w, http.StatusOK, s.Counts())
	case r.URL.Path == "/sink/hits":
		answerJSON(w, http.StatusOK, s.hits())
	case r.URL.Path == "/sink/violations":
		answerJSON(w, http.StatusOK, s.Violations())
	default:
		http.NotFound(w, r)
	}
}

// Violations are the objections so far, sorted by rule and parameter; each stands once with its count.
func (s *Sink) Violations() []Violation { return s.rules.list() }

// now is the sink's own clock.
func (s *Sink) now() time.Time { return s.cfg.Now().Add(s.cfg.ClockSkew) }
