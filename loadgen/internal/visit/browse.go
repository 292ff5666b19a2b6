package visit

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/eventset"
)

// draft is a visit in the making.
type draft struct {
	g   *Generator
	rng *rand.Rand
	v   *Visit
	// orders numbers the orders of the visit.
	orders int
}

// browse is a visit along the pages of one host, with the extras that the shares ask for.
func (d *draft) browse() {
	h := d.g.site.pick(d.rng)
	current := h.entry.draw(d.rng)
	if d.rng.Float64() < d.g.b.Bounce {
		d.v.Bounce = true
		d.view(current.url, current.title, current.records, d.source())
		if current.campaign {
			d.v.Hits[0].Referrer = ""
		}
		return
	}
	pages := d.pageCount()
	length := d.length(pages)
	extras := d.extras(pages)
	dwell := d.split(length, pages)
	referrer := d.source()
	if current.campaign {
		referrer = "" // the campaign is the source
	}
	var at, wait time.Duration
	for i := range pages {
		pause := d.pause(i == pages-1)
		first := len(d.v.Hits)
		d.view(current.url, current.title, current.records, referrer)
		for _, add := range extras[i] {
			add(current)
		}
		d.spread(first, at, dwell[i], wait, pause)
		at += dwell[i]
		wait += pause
		referrer = current.url
		current = h.next(d.rng, current)
	}
	d.leave(at, wait)
}

func (d *draft) source() string { return d.v.Visitor.Source.Referrer }

func (d *draft) pageCount() int {
	b := &d.g.b
	return b.PageviewsMin + d.rng.IntN(b.PageviewsMax-b.PageviewsMin+1)
}

// length is the recorded time from first to last hit. Matomo adds a second to it (plugins/CoreHome/Columns/
// VisitTotalTime.php), and no page can last longer than MaxGap.
func (d *draft) length(pages int) time.Duration {
	b := &d.g.b
	drawn := b.DurationMin + time.Duration(d.rng.Float64()*float64(b.DurationMax-b.DurationMin))
	return min(drawn.Truncate(time.Second)-time.Second, time.Duration(pages)*MaxGap)
}

// split deals a length over pages with weights 0.5 to 1.5, in whole seconds, none above MaxGap.
func (d *draft) split(length time.Duration, pages int) []time.Duration {
	weights := make([]float64, pages)
	total := 0.0
	for i := range weights {
		weights[i] = 0.5 + d.rng.Float64()
		total += weights[i]
	}
	parts := make([]time.Duration, pages)
	left := length
	for i, w := range weights {
		parts[i] = min(MaxGap, time.Duration(w/total*float64(length)).Truncate(time.Second))
		left -= parts[i]
	}
	for i := 0; left > 0; i = (i + 1) % pages { // what rounding and the bound left over
		more := min(left, MaxGap-parts[i])
		parts[i] += more
		left -= more
	}
	return parts
}

// pause is the real time until the next page; a compressed visit ends with its last page.
func (d *draft) pause(last bool) time.Duration {
	drawn := d.g.b.PauseMin + time.Duration(d.rng.Float64()*float64(d.g.b.PauseMax-d.g.b.PauseMin))
	if last {
		return 0
	}
	return drawn
}

// spread sets the times of a page and what happens on it: evenly over the page's dwell and pause.
func (d *draft) spread(first int, at, dwell, wait, pause time.Duration) {
	hits := d.v.Hits[first:]
	n := time.Duration(len(hits))
	for i := range hits {
		hits[i].Offset = at + (dwell * time.Duration(i) / n).Truncate(time.Second)
		hits[i].Wait = wait + pause*time.Duration(i)/n
		if d.g.b.Live {
			hits[i].Wait = hits[i].Offset
		}
	}
}

// leave ends the visit with a ping, which sets the recorded duration exactly (plugins/Heartbeat).
func (d *draft) leave(at, wait time.Duration) {
	last := d.v.Hits[len(d.v.Hits)-1]
	if d.g.b.Live {
		wait = at
	}
	d.v.Hits = append(d.v.Hits, Hit{
		Kind: Ping, Records: Ping, Offset: at, Wait: wait,
		URL: last.URL, Title: last.Title, PageviewID: last.PageviewID,
	})
}

func (d *draft) view(url, title string, records Kind, referrer string) {
	d.v.Hits = append(d.v.Hits, Hit{
		Kind: Pageview, Records: records, URL: url, Title: title, Referrer: referrer,
		PageviewID: d.pageviewID(), Timing: d.timing(),
	})
}

const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (d *draft) pageviewID() string {
	var b [6]byte
	for i := range b {
		b[i] = idAlphabet[d.rng.IntN(len(idAlphabet))]
	}
	return string(b[:])
}

// timing draws log-normal phases; the medians are guesses at an ordinary shop page.
func (d *draft) timing() *Timing {
	ms := func(median float64) int { return int(median * math.Exp(0.6*d.rng.NormFloat64())) }
	return &Timing{ms(40), ms(180), ms(60), ms(350), ms(250), ms(15)}
}

// extras draws which extras the visit has and on which page each happens.
func (d *draft) extras(pages int) [][]func(*page) {
	out := make([][]func(*page), pages)
	b := &d.g.b
	for _, e := range []struct {
		share float64
		add   func(*page)
	}{
		{b.SearchShare, d.addSearch},
		{b.ClickShare, func(p *page) { d.addEvent(p, b.Events.Click) }},
		{b.RandomShare, func(p *page) { d.addEvent(p, b.Events.Random) }},
		{b.DownloadShare, d.addDownload},
		{b.OutlinkShare, d.addOutlink},
		{b.OrderShare, d.addOrder},
	} {
		if d.rng.Float64() < e.share {
			at := d.rng.IntN(pages)
			out[at] = append(out[at], e.add)
		}
	}
	return out
}

// extra appends a hit that happens on the page viewed last.
func (d *draft) extra(h Hit) {
	on := d.v.Hits[len(d.v.Hits)-1]
	h.Records = h.Kind
	h.URL, h.PageviewID = on.URL, on.PageviewID
	if h.Title == "" {
		h.Title = on.Title
	}
	if len(d.v.Hits) > 1 {
		h.Referrer = d.before()
	}
	d.v.Hits = append(d.v.Hits, h)
}

// before is the referrer of the page viewed last, unless that is the source of the visit, which belongs to its first hit.
func (d *draft) before() string {
	for i := len(d.v.Hits) - 1; i > 0; i-- {
		if d.v.Hits[i].Kind == Pageview {
			return d.v.Hits[i].Referrer
		}
	}
	return ""
}

func (d *draft) addSearch(*page) {
	term := SearchTerm{Keyword: pick(d.rng, d.g.searches)}
	if d.rng.Float64() < 0.3 {
		term.Category = pick(d.rng, []string{"", "Products", "Support", "Documentation"})
	}
	term.Count = d.rng.IntN(26)
	d.extra(Hit{Kind: Search, Search: term, Title: "Search: " + term.Keyword})
}

func (d *draft) addEvent(_ *page, events []eventset.Event) {
	if len(events) == 0 {
		return
	}
	e := events[d.rng.IntN(len(events))]
	d.extra(Hit{Kind: Event, Event: EventData{e.Category, e.Action, e.Name, e.Value}})
}

func (d *draft) addOutlink(*page) {
	d.extra(Hit{Kind: Outlink, Target: pick(d.rng, d.g.outlinks)})
}

func (d *draft) addDownload(p *page) {
	d.extra(Hit{Kind: Download, Target: resolve(p.url, pick(d.rng, d.g.downloads))})
}

func (d *draft) addOrder(*page) {
	order := d.g.b.Shop.Order(d.rng)
	d.extra(Hit{Kind: Order, Order: &order, OrderID: d.orderID()})
}

func (d *draft) orderID() string {
	d.orders++
	return d.v.ID + "-" + strconv.Itoa(d.orders)
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }
