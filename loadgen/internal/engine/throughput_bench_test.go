package engine_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// All visits start within filling; then, for holding, 20,000 hits become due each second.
const (
	filling = 10 * time.Second
	holding = 20 * time.Second
	perHold = 20_000
)

// patient are usual visits whose second hits fall due after filling, spread evenly and in another order than the visits
// started; the others are due hours later.
type patient struct {
	*visit.Generator
	all uint64
}

func (p patient) Outline(n uint64, v *visit.Visit) {
	p.Generator.Outline(n, v)
	started := filling * time.Duration(n) / time.Duration(p.all)
	due := filling + time.Second*time.Duration(n*7919%p.all)/perHold
	for i := 1; i < len(v.Hits); i++ {
		v.Hits[i].SendOffset = due - started + time.Duration(i-1)*time.Hour
	}
}

// instant accepts every hit at once, so that latency is lateness.
type instant struct{}

func (instant) Request() engine.Request          { return instant{} }
func (instant) Abort()                           {}
func (instant) Begin(int, bool)                  {}
func (instant) Add(*visit.Visit, int, time.Time) {}
func (instant) Send() tracking.Result {
	return tracking.Result{}
}

// BenchmarkOpenVisits measures the cost of one and ten million open visits: memory of the process, the share of a core
// while they are open, how late hits are sent, and how long a stop takes.
func BenchmarkOpenVisits(b *testing.B) {
	for _, n := range []uint64{1_000_000, 10_000_000} {
		b.Run(strconv.FormatUint(n, 10), func(b *testing.B) {
			for b.Loop() {
				openVisits(b, n)
			}
		})
	}
}

func openVisits(b *testing.B, n uint64) {
	store, err := shop.New(shop.Config{RevenueMin: 1599, RevenueMax: 29999, ItemsMin: 1, ItemsMax: 5, TaxRate: .1,
		Shipping: []shop.Cents{0, 599}})
	if err != nil {
		b.Fatal(err)
	}
	g := visit.New(visit.Behaviour{
		Seed: 42, RunID: "bench", Pages: urllist.Default(""), Shop: store, PageviewsMin: 3,
		PageviewsMax: 6, DurationMin: time.Minute, DurationMax: 8 * time.Minute, DirectShare: .3,
		Extras: []visit.Extra{{Kind: hit.Search, Share: .15},
			{Kind: hit.Event, Share: .25, Events: eventset.Default().Click}, {Kind: hit.Order, Share: .05}},
	})
	counts := ledger.New(1)
	drain, stop := context.WithCancel(b.Context())
	var busy, rss float64
	var stopped time.Time
	var late ledger.Counts
	filled := time.AfterFunc(filling, func() { busy = -cpuSeconds(b) })
	defer filled.Stop()
	over := time.AfterFunc(filling+holding, func() {
		busy, rss, late, stopped = busy+cpuSeconds(b), residentMB(b), counts.Counts(), time.Now()
		stop()
	})
	defer over.Stop()
	_ = engine.New(engine.Config{
		Visits: patient{g, n}, Sender: instant{}, Ledger: counts, Log: slog.New(slog.DiscardHandler),
		Timer: wakeup.NewHighRes(), Clock: standstill.New(time.Now()), Batch: 1,
		Router: routing.New([]target.Target{{Name: "one", Weight: 1}}, target.RoundRobin, 1),
		Load:   profile.NewConstant(float64(n) / filling.Seconds() * 86400), Concurrency: 64, Live: true,
		Zone:    time.UTC,
		Reserve: func(uint64) error { return nil },
		Cap:     engine.NewCap(n, runsummary.Cap{}, func(runsummary.Cap) error { return nil }),
	}).Run(drain, b.Context())
	b.ReportMetric(float64(late.OpenVisits()), "open")
	b.ReportMetric(rss, "MB-RSS")
	b.ReportMetric(100*busy/holding.Seconds(), "%-of-a-core")
	b.ReportMetric(float64(late.Latency[0].ValueAtQuantile(50))/1000, "ms-late-p50")
	b.ReportMetric(float64(late.Latency[0].ValueAtQuantile(99))/1000, "ms-late-p99")
	b.ReportMetric(float64(late.Latency[0].Max())/1000, "ms-late-max")
	b.ReportMetric(time.Since(stopped).Seconds(), "s-to-stop")
	if row := counts.Counts().Total(-1); row.Open() != 0 {
		b.Errorf("the ledger does not add up: %+v", row)
	}
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Error(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// residentMB returns the memory of this process, 0 if the system has no proc(5).
func residentMB(b *testing.B) float64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Log(err)
		return 0
	}
	fields := strings.Fields(string(data))
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		b.Error(err)
	}
	return pages * float64(os.Getpagesize()) / 1e6
}
