package visit

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/hit"
)

// seedHit starts the draws for the details of hit i.
func (v *Visit) seedHit(i int) {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: seeds of hits are far apart
	v.detailPCG.Seed(v.g.b.Seed+golden*uint64(i+1), v.Number)
}

// PageviewID connects the hits of one page: six of [A-Za-z0-9].
type PageviewID [6]byte

const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// PageviewID returns the id of the page of hit i.
func (v *Visit) PageviewID(i int) (id PageviewID) {
	v.seedHit(int(v.Hits[i].page))
	x := v.detailRNG.Uint64()           // a fraction of 1<<64; each product with 62 gives a letter and the next fraction
	for k := len(id) - 1; k >= 0; k-- { // last letter first, so that a seed keeps its ids
		var letter uint64
		letter, x = bits.Mul64(x, uint64(len(idAlphabet)))
		id[k] = idAlphabet[letter]
	}
	return id
}

// Timing has the phases of a page load in milliseconds as in matomo.js: network, server, transfer, DOM processing, DOM
// completion and onload.
type Timing [6]int

// Timing returns the phases of hit i, a pageview, from log-normal distributions with medians of a typical shop page (a
// guess).
func (v *Visit) Timing(i int) (t Timing) {
	v.seedHit(i)
	x := v.detailRNG.Uint64()
	for k, median := range [len(t)]float64{40, 180, 60, 350, 250, 15} {
		t[k] = int(median * logNormal[x%uint64(len(logNormal))])
		x /= uint64(len(logNormal))
	}
	return t
}

// logNormal are evenly spaced quantiles of a log-normal distribution with median 1 and σ = 0.6.
var logNormal = func() (q [1024]float64) {
	for i := range q {
		p := (float64(i) + 0.5) / float64(len(q))
		q[i] = math.Exp(0.6 * math.Sqrt2 * math.Erfinv(2*p-1))
	}
	return q
}()

// SearchQuery is a search on the site; Count is the number of results.
type SearchQuery struct {
	Keyword, Category, Title Text
	Count                    int
}

// Search returns the search of hit i.
func (v *Visit) Search(i int) SearchQuery {
	v.seedHit(i)
	h, rng := &v.Hits[i], v.detailRNG
	if s := h.step; s != nil {
		term := SearchQuery{s.keyword, s.category, s.title, rng.IntN(26)}
		if s.SearchResults != nil {
			term.Count = *s.SearchResults
		}
		return term
	}
	k := rng.IntN(len(v.g.searches))
	term := SearchQuery{Keyword: v.g.searches[k], Title: v.g.searchTitles[k]}
	if rng.Float64() < 0.3 {
		term.Category = v.g.categories[rng.IntN(len(v.g.categories))]
	}
	term.Count = rng.IntN(26)
	return term
}

// Event returns the event of hit i.
func (v *Visit) Event(i int) eventset.Event {
	h := &v.Hits[i]
	if s := h.step; s != nil {
		return s.Event()
	}
	list := v.g.b.Extras[h.extra].Events
	v.seedHit(i)
	return list[v.detailRNG.IntN(len(list))]
}

// TargetURL returns the URL of hit i, an outlink or a download.
func (v *Visit) TargetURL(i int) Text {
	h := &v.Hits[i]
	if h.step != nil {
		return h.step.target
	}
	v.seedHit(i)
	if h.Kind == hit.Outlink {
		return v.g.outlinks[v.detailRNG.IntN(len(v.g.outlinks))]
	}
	files := h.at.host.downloads
	return files[v.detailRNG.IntN(len(files))]
}

// Order returns the order of hit i.
func (v *Visit) Order(i int) shop.Order {
	v.seedHit(i)
	if s := v.Hits[i].step; s != nil {
		order, err := v.g.b.Shop.OrderWith(v.detailRNG, Override(s.Step))
		if err != nil { // the plan has validated it
			panic("validated order of a funnel step: " + err.Error())
		}
		return order
	}
	return v.g.b.Shop.Order(v.detailRNG)
}

// AppendOrderID appends the order id of hit i, which is unique over all runs.
func (v *Visit) AppendOrderID(dst []byte, i int) []byte {
	dst = append(append(dst, v.ID[:]...), '-')
	return strconv.AppendUint(dst, uint64(v.Hits[i].order), 10)
}
