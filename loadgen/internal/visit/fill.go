package visit

import (
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// Fill draws who visits, and the pages of the hits before until, of a visit that was outlined.
func (g *Generator) Fill(v *Visit, until int) {
	const other = 0xd1b54a32d192ed03 // draws apart from those of the outline
	v.whoPCG.Seed(g.b.Seed^other, v.Number)
	v.Visitor = visitor.Draw(v.who, g.b.DirectShare)
	if g.home != nil {
		v.Visitor.Place = g.home
	}
	var on *host
	var current *page
	if p := v.path; p == nil {
		on = g.site.pick(v.who)
	} else {
		on, current = p.host, p.last
		if p.source == "" {
			v.Hits[0].Referrer = v.Visitor.Source.Referrer
		}
	}
	for i := v.browsed; i < until; i++ {
		h := &v.Hits[i]
		if h.Kind != hit.Pageview {
			h.happensOn(&v.Hits[h.page])
			continue
		}
		if current == nil {
			current = on.entry.draw(v.who)
			h.Referrer = v.source(current)
		} else {
			h.Referrer = current.url
			current = on.next(v.who, current)
		}
		h.URL, h.Title, h.RecordedAs, h.at = current.url, current.title, current.records, current
	}
}

// source is the referrer of the first page, which one goes without whose address decides the source.
func (v *Visit) source(p *page) Text {
	if p.source != "" {
		return Text{}
	}
	return v.Visitor.Source.Referrer
}

// happensOn takes over what a hit has from its page.
func (h *Hit) happensOn(view *Hit) {
	h.URL, h.Title, h.at = view.URL, view.Title, view.at
	if h.Kind != hit.Ping && view.page > 0 { // the source of the visit belongs to its first hit
		h.Referrer = view.Referrer
	}
}
