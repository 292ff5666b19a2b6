package engine

import (
	"log/slog"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/target"
)

// pages are visits of three pages, a second apart.
type pages struct{}

func (pages) Fill(*visit.Visit, int) {}

func (pages) Outline(n uint64, v *visit.Visit) {
	v.Number, v.Hits = n, v.Hits[:0]
	for i := range 3 {
		v.Hits = append(v.Hits, visit.Hit{SendOffset: time.Duration(i) * time.Second})
	}
}

// Limits of visits whose request was too large must not accumulate in a long run.
func TestTheLimitOfASplitVisitIsForgotten(t *testing.T) {
	for name, lose := range map[string]func(*loop, openVisit){
		"shed":            func(l *loop, o openVisit) { l.shed(o, answer.Late, 0) },
		"shed at its end": func(l *loop, o openVisit) { o.hit, o.upTo = 2, 3; l.shed(o, answer.Late, 0) },
		"missed":          func(l *loop, o openVisit) { l.gaps = make([]standstill.Gap, 1); l.miss(o, 0) },
		"abandoned":       func(l *loop, o openVisit) { l.abandon(o) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(New(Config{
				Visits: pages{}, Router: routing.New([]target.Target{{Name: "one", Weight: 1}}, target.RoundRobin, 1),
				Ledger: ledger.New(1),
				Log:    slog.New(slog.DiscardHandler), Clock: standstill.New(time.Now()), Load: profile.NewConstant(1),
				Concurrency: 1, Batch: 10, Zone: time.UTC,
			}), nil, nil)
			l.queues[0].limits[7] = 1
			lose(l, openVisit{number: 7, upTo: 2, sent: true})
			if n := len(l.queues[0].limits); n != 0 {
				t.Errorf("%d limits are left", n)
			}
		})
	}
}
