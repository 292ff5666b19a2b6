// Package sink owns the fake Matomo: an HTTP server that answers like Matomo's tracker, counts what Matomo would
// record, and reports every hit that violates Matomo's rules. It can be slow and fail on purpose. It shares no code
// with the sender, so that both cannot have the same error. It follows Matomo 5 (core/Tracker, and the plugins named
// below).
package sink

import (
	"cmp"
	"hash/maphash"
	"math/rand/v2"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// Config configures the Matomo to imitate. The zero Config has sites 1 to 9 in CET, no tokens, and no faults.
type Config struct {
	// Sites by their id; nil means 1 to 9 in CET.
	Sites map[int]Site
	// Tokens has the sites with write access by token, and Viewers those with view access besides. Write access to
	// all sites makes a superuser.
	Tokens, Viewers map[string][]int
	// Delay is added before each answer of the tracker.
	Delay time.Duration
	// Limit is the capacity of the tracker in hits per second; more hits queue. 0 means no limit.
	Limit float64
	// ErrorShare is the share of requests, 0 to 1, that are answered with ErrorStatus and not stored.
	ErrorShare float64
	// ErrorStatus is an HTTP status; 0 means 500.
	ErrorStatus int
	// DropShare is the share of requests, 0 to 1, whose connection is closed after reading. Half of them are stored.
	DropShare float64
	// LoseShare and DuplicateShare are the shares of hits, 0 to 1, that are accepted but not recorded, or recorded
	// twice.
	LoseShare, DuplicateShare float64
	// ArchiveDelay is the time between two updates of the reports; 0 updates at once. Live reports have no delay.
	ArchiveDelay time.Duration
	// Tracker has the settings of the tracker; nil means Matomo's defaults.
	Tracker *Tracker
	// Outages are times without service.
	Outages []Window
	// ClockSkew is how far the sink's clock is ahead of the machine's.
	ClockSkew time.Duration
	// Seed seeds the random choice of faults.
	Seed uint64
	// Keep is the number of last hits that are shown.
	Keep int
	// MaxOpen is the number of visitors from which those idle for more than 31 minutes are removed; 0 means 200,000.
	MaxOpen int
	// Now is the machine's clock; nil means time.Now.
	Now func() time.Time
}

// Site is a website of the sink.
type Site struct {
	// Zone is the site's time zone; nil means CET.
	Zone *time.Location
}

// Sink is the HTTP handler. It is safe for concurrent use.
type Sink struct {
	cfg   Config
	start time.Time
	rules ruleBook

	mu          sync.Mutex // guards the fields below
	requestRand *rand.Rand // for faults of requests
	hitRand     *rand.Rand // for faults of hits
	seed        maphash.Seed
	counts      Counts
	visitors    map[visitorKey]*visitor
	unique      map[visitorKey]struct{}
	orders      map[uint64]struct{} // hashes of site and order id
	inFlight    map[visitorKey]int
	evicted     time.Time
	idleAt      time.Time  // when the tracker's queue is empty
	lastHits    []shownHit // oldest first
	log         *reports.Log
	detailed    []*reports.Visit // visits with Details
	failures    map[failureKey]time.Time
	notes       map[int][]row // annotations by site
	noteCount   int
}

// New returns a sink. Its outages are relative to now.
func New(cfg Config) *Sink {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Tracker == nil {
		cfg.Tracker = NewTracker()
	}
	cfg.ErrorStatus = cmp.Or(cfg.ErrorStatus, http.StatusInternalServerError)
	cfg.MaxOpen = cmp.Or(cfg.MaxOpen, defaultMaxOpen)
	cfg.Sites = withZones(cfg.Sites)
	s := &Sink{
		cfg: cfg, start: cfg.Now(), seed: maphash.MakeSeed(),
		requestRand: rand.New(rand.NewPCG(cfg.Seed, 0)), hitRand: rand.New(rand.NewPCG(cfg.Seed, 1)),
		visitors: map[visitorKey]*visitor{}, unique: map[visitorKey]struct{}{}, orders: map[uint64]struct{}{},
		failures: map[failureKey]time.Time{}, inFlight: map[visitorKey]int{}, notes: map[int][]row{},
		counts: Counts{Rejected: map[string]int64{}, Excluded: map[string]int64{}, Faults: map[string]int64{},
			Sites: map[int]*SiteCounts{}},
	}
	s.log = reports.NewLog(cfg.ArchiveDelay, s.now())
	for id := range cfg.Sites {
		s.counts.Sites[id] = newSiteCounts()
	}
	return s
}

// ServeHTTP serves the tracker at paths that end in matomo.php or piwik.php, the Reporting API at index.php, the
// results as a page at /, and as JSON at /sink/counts, /sink/hits and /sink/violations.
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

// Violations returns the violations so far, sorted by rule and parameter.
func (s *Sink) Violations() []Violation { return s.rules.list() }

func (s *Sink) now() time.Time { return s.cfg.Now().Add(s.cfg.ClockSkew) }
