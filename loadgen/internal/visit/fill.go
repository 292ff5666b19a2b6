package visit

import (
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// Fill draws who visits, and the pages of the hits before until, of a visit that was outlined.
func (g *Generator) Fill(v *Visit, until int) {
	const other = 0xd1b54a32d192ed03 // draws apart from those of the outline
	v.whoPCG.Seed(g.b.Seed^other, v.Number)
	v.Visitor = visitor.Draw(v.whoRNG, g.b.DirectShare)
	if g.home != nil {
		v.Visitor.Place = g.home
	}
	var on *host
	var current *page
	if p := v.funnel; p == nil {
		on = g.site.drawHost(v.whoRNG)
	} else {
		on, current = p.host, p.last
		if p.source == "" {
			v.Hits[0].Referrer = v.Visitor.Source.Referrer
		}
	}
	for i := v.firstBrowsed; i < until; i++ {
		h := &v.Hits[i]
		if h.Kind != hit.Pageview {
			h.inheritPage(&v.Hits[h.page])
			continue
		}
		if current == nil {
			current = on.entry.draw(v.whoRNG)
			h.Referrer = v.firstReferrer(current)
		} else {
			h.Referrer = current.url
			current = on.next(v.whoRNG, current)
		}
		h.URL, h.Title, h.RecordedAs, h.at = current.url, current.title, current.recordedAs, current
	}
}

// firstReferrer is the referrer of the first page, which one goes without whose address decides the source.
func (v *Visit) firstReferrer(p *page) Text {
	if p.source != "" {
		return Text{}
	}
	return v.Visitor.Source.Referrer
}

// inheritPage takes over what a hit has from its page.
func (h *Hit) inheritPage(view *Hit) {
	h.URL, h.Title, h.at = view.URL, view.Title, view.at
	if h.Kind != hit.Ping && view.page > 0 { // the source of the visit belongs to its first hit
		h.Referrer = view.Referrer
	}
}
