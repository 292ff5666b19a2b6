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

// Behaviour decides what visitors do. Shares are from 0 to 1.
type Behaviour struct {
	Seed  uint64
	RunID string

	Pages   []urllist.Page
	Funnels []funnel.Funnel
	Shop    *shop.Shop

	PageviewsMin, PageviewsMax int
	// DurationMin and DurationMax limit the recorded duration, PauseMin and PauseMax the real pause between two pages.
	DurationMin, DurationMax, PauseMin, PauseMax time.Duration
	// Live sends every hit at its recorded time, without pauses.
	Live bool
	// HomeZone is the time zone of all visitors if their countries are not sent.
	HomeZone *time.Location

	BounceShare, DirectShare float64
	// Extras are drawn in this order: if it changes, a seed gives different visits.
	Extras []Extra
}

// Extra is a further hit on a page, in a share of the visits without a funnel.
type Extra struct {
	Kind  hit.Kind
	Share float64
	// Events are drawn from if Kind is an event.
	Events []eventset.Event
}

// Generator generates visits. It is safe for concurrent use.
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

// New returns a generator. b.Pages must not be empty.
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

// Visit returns visit n of the run. The same seed, run id and number give the same visit.
func (g *Generator) Visit(n uint64) *Visit {
	v := &Visit{}
	g.Make(n, v)
	return v
}

// Make generates visit n in v and reuses its memory. v must not be copied.
func (g *Generator) Make(n uint64, v *Visit) {
	g.Outline(n, v)
	g.Fill(v, len(v.Hits))
}

// Outline sets which hits visit n has and when, without visitor and pages: enough to plan it, at a fraction of the
// cost. It reuses the memory of v, which must not be copied.
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
	if g.site.searches { // the kind that is recorded depends on the page
		g.Fill(v, len(v.Hits))
	}
}

// visitorID maps the visit's number to 64 bits one to one, so that every visit of a run has its own visitor.
func (g *Generator) visitorID(n uint64) (id ID) {
	x := n ^ g.key[0]
	// The finalizer of MurmurHash3, a bijection on 64 bits.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	x ^= g.key[1]
	if x == 0 { // Matomo ignores an id of zeros
		x = 1
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], x)
	hex.Encode(id[:], b[:])
	return id
}

// drawFunnel tries the funnels by priority, each with its own probability; nil means none.
func (g *Generator) drawFunnel(rng *rand.Rand) *funnelPath {
	for i := range g.funnels {
		if rng.Float64() < g.funnels[i].Probability {
			return &g.funnels[i]
		}
	}
	return nil
}

// Fill draws the visitor, and the pages of the hits before until, of an outlined visit.
func (g *Generator) Fill(v *Visit, until int) {
	const stream = 0xd1b54a32d192ed03 // independent of the draws of the outline
	v.whoPCG.Seed(g.b.Seed^stream, v.Number)
	v.Visitor = visitor.Draw(v.whoRNG, g.b.DirectShare)
	if g.home != nil {
		v.Visitor.Place = g.home
	}
	var on *host
	var current *page
	if p := v.funnel; p == nil { // a host by its number of pages
		on = g.site.list[g.site.weights.Draw(v.whoRNG)]
	} else {
		on, current = p.host, p.last
		if p.source == "" {
			v.Hits[0].Referrer = v.Visitor.Source.Referrer
		}
	}
	for i := v.firstBrowsed; i < until; i++ {
		h := &v.Hits[i]
		if h.Kind != hit.Pageview {
			view := &v.Hits[h.page]
			h.URL, h.Title, h.at = view.URL, view.Title, view.at
			if h.Kind != hit.Ping && view.page > 0 { // the source of the visit belongs to its first hit
				h.Referrer = view.Referrer
			}
			continue
		}
		if current == nil {
			current = on.entry.draw(v.whoRNG)
			if h.Referrer = v.Visitor.Source.Referrer; current.source != "" { // the URL decides the source
				h.Referrer = Text{}
			}
		} else {
			h.Referrer, current = current.url, on.next(v.whoRNG, current)
		}
		h.URL, h.Title, h.RecordedAs, h.at = current.url, current.title, current.recordedAs, current
	}
}
