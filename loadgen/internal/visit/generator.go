package visit

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// Behaviour is what visits are made from. Probabilities are 0..1.
type Behaviour struct {
	Seed  uint64
	RunID string

	Pages   []urllist.Page
	Funnels []funnel.Funnel
	Shop    *shop.Shop

	PageviewsMin, PageviewsMax int
	// DurationMin and DurationMax bound the recorded duration, PauseMin and PauseMax the real pause between two pages.
	DurationMin, DurationMax, PauseMin, PauseMax time.Duration
	// Live sends every hit at its own moment: pauses are then the recorded times.
	Live bool
	// HomeZone is set where all visitors are of no told country: their clocks are in this zone.
	HomeZone *time.Location

	BounceShare, DirectShare float64
	// Extras are what can happen on a page beside its view, in the order in which they are drawn: a seed means the same
	// visits only as long as that stays.
	Extras []Extra
}

// Extra is something that happens, once, in a share of the visits that browse.
type Extra struct {
	Kind  hit.Kind
	Share float64
	// Events are what an event is drawn from.
	Events []eventset.Event
}

// Generator makes visits. It is safe for concurrent use.
type Generator struct {
	b       Behaviour
	site    *siteIndex
	funnels []funnelPath
	key     [2]uint64
	home    *visitor.Place

	searches, searchTitles, categories, outlinks []Text
}

//go:embed data/searches.txt
var searches string

//go:embed data/outlinks.txt
var outlinks string

//go:embed data/downloads.txt
var downloads string

// New makes a generator. b.Pages must not be empty.
func New(b Behaviour) *Generator {
	sum := sha256.Sum256([]byte(strconv.FormatUint(b.Seed, 10) + "/" + b.RunID))
	g := &Generator{
		b: b, site: newSiteIndex(b.Pages),
		key:        [2]uint64{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])},
		outlinks:   texts("", strings.Fields(outlinks)),
		categories: texts("", []string{"", "Products", "Support", "Documentation"}),
	}
	terms := strings.Split(strings.TrimSpace(searches), "\n")
	g.searches, g.searchTitles = texts("", terms), texts("Search: ", terms)
	if b.HomeZone != nil {
		g.home = &visitor.Place{Lang: visitor.NewText("en-US,en;q=0.9"), Zone: b.HomeZone}
	}
	for _, f := range funnel.Sorted(b.Funnels) {
		if f.Enabled {
			g.funnels = append(g.funnels, g.newFunnelPath(&f))
		}
	}
	return g
}

func texts(prefix string, plain []string) []Text {
	out := make([]Text, len(plain))
	for i, s := range plain {
		out[i] = visitor.NewText(prefix + s)
	}
	return out
}

// Visit is visit number n of the run. The same seed, run id and number give the same visit.
func (g *Generator) Visit(n uint64) *Visit {
	v := &Visit{}
	g.Make(n, v)
	return v
}

// Make writes visit number n into v, whose memory is used again. v must not be copied.
func (g *Generator) Make(n uint64, v *Visit) {
	g.Outline(n, v)
	g.Fill(v, len(v.Hits))
}

// Outline writes which hits visit n has and when, but not yet who visits and which pages: what is needed to plan it
// costs a fraction of the whole. It uses the memory of v, which must not be copied, again.
func (g *Generator) Outline(n uint64, v *Visit) {
	if v.rng == nil {
		v.rng, v.whoRNG, v.detailRNG = rand.New(&v.pcg), rand.New(&v.whoPCG), rand.New(&v.detailPCG)
	}
	v.pcg.Seed(g.b.Seed, n)
	v.g, v.Number, v.ID, v.Funnel, v.Bounce, v.Hits, v.firstBrowsed = g, n, g.visitorID(n), "", false, v.Hits[:0], 0
	if v.funnel = g.drawFunnel(v.rng); v.funnel != nil {
		v.followFunnel(v.funnel)
	} else {
		v.browse()
	}
	if g.site.searches { // what a page is booked as depends on which it is
		g.Fill(v, len(v.Hits))
	}
}

// visitorID maps the visit's number to 64 bits one to one, so that no two visits of a run share a visitor.
func (g *Generator) visitorID(n uint64) (id ID) {
	x := n ^ g.key[0]
	// The finalizer of MurmurHash3, a bijection on 64 bits.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	x ^= g.key[1]
	if x == 0 { // Matomo takes an id of zeros for none.
		x = 1
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], x)
	hex.Encode(id[:], b[:])
	return id
}

// drawFunnel walks the funnels by priority, each with its own probability; nil means free browsing.
func (g *Generator) drawFunnel(rng *rand.Rand) *funnelPath {
	for i := range g.funnels {
		if rng.Float64() < g.funnels[i].Probability {
			return &g.funnels[i]
		}
	}
	return nil
}
