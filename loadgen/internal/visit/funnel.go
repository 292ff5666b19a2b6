package visit

import (
	"cmp"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// funnelPath is a funnel with what is the same in each visit.
type funnelPath struct {
	*funnel.Funnel
	steps []step
	// source is as page.source of the first page.
	source visitor.SourceType
	// host and last are where the visit continues after the last step.
	host *host
	last *page
}

// newFunnelPath generates the hits of a funnel's steps, usually one each. A step on another page than the last one gets
// a view of its page first.
func (g *Generator) newFunnelPath(f *funnel.Funnel) funnelPath {
	p := funnelPath{Funnel: f, steps: make([]step, len(f.Steps))}
	var on Hit // the page viewed last
	n, orders, viewed := 0, 0, siteIndex{hosts: map[string]*host{}}
	for i := range f.Steps {
		s := newStep(f, i)
		if s.Type == funnel.Pageview || s.URL != "" && matomotext.TruncateURL(s.URL) != on.URL.Plain {
			view := newPage(s.URL, s.title.Plain)
			before := on.URL
			if Host(before.Plain) != Host(s.URL) { // the referrer is never another host
				before = Text{}
			}
			on = Hit{Kind: hit.Pageview, RecordedAs: view.recordedAs, URL: view.url, Title: s.title, Referrer: before,
				page: uint16(n)}
			s.hits = append(s.hits, on)
			viewed.add(view)
			if n == 0 {
				p.source = view.source
			}
			n++
		}
		if kind, _ := hit.OfStep(s.Type); kind != hit.Pageview {
			h := Hit{Kind: kind, RecordedAs: kind, URL: on.URL, Title: s.title, Referrer: on.Referrer, page: on.page}
			if kind == hit.Order {
				orders++
				h.order = uint16(orders)
			}
			s.target = resolve(on.URL.Plain, s.TargetURL)
			s.hits = append(s.hits, h)
			n++
		}
		p.steps[i] = s
	}
	for i := range p.steps {
		for k := range p.steps[i].hits {
			p.steps[i].hits[k].step = &p.steps[i]
		}
	}
	// The visit continues on the pages of the URL list, or on those of the funnel if the list has none of that host.
	name := Host(on.URL.Plain)
	viewed.build()
	if p.host = g.site.hosts[name]; p.host == nil {
		p.host = viewed.hosts[name]
	}
	p.last = p.host.find(on.URL.Plain)
	return p
}

func newStep(f *funnel.Funnel, i int) step {
	s := step{Step: &f.Steps[i]}
	title := cmp.Or(s.Title, s.ActionName, f.Name+": step "+strconv.Itoa(i+1))
	s.title = visitor.NewText(matomotext.Truncate(title))
	s.keyword = visitor.NewText(matomotext.Truncate(s.SearchKeyword))
	s.category = visitor.NewText(textfile.Truncate(s.SearchCategory, matomotext.MaxCategory))
	return s
}

// followFunnel outlines a visit along the steps of a funnel. A step's delay is the time after it until the next one.
func (v *Visit) followFunnel(p *funnelPath) {
	v.Funnel = p.Name
	var at, wait time.Duration
	for i := range p.steps {
		s := &p.steps[i]
		first := len(v.Hits)
		v.Hits = append(v.Hits, s.hits...)
		seconds := s.DelayMin + v.rng.Float64()*(s.DelayMax-s.DelayMin)
		delay := time.Duration(seconds) * time.Second // full seconds, as in Matomo
		pause := delay
		if !v.g.b.Live {
			pause = min(delay, v.pause(i == len(p.steps)-1 && p.ExitAfterCompletion))
		}
		v.setTimes(first, at, 0, wait, 0)
		at += delay
		wait += pause
	}
	v.firstBrowsed = len(v.Hits)
	if !p.ExitAfterCompletion {
		v.extras = v.extras[:0]
		at, wait = v.visitPages(v.drawPages(), at, wait)
	}
	v.addPing(at, wait)
}

// Override returns what a step sets of its order.
func Override(s *funnel.Step) shop.Override {
	cents := func(amount *float64) *shop.Cents {
		if amount == nil {
			return nil
		}
		c := shop.Cents(math.Round(*amount * 100))
		return &c
	}
	return shop.Override{
		Revenue: cents(s.Revenue), Subtotal: cents(s.Subtotal), Tax: cents(s.Tax), Shipping: cents(s.Shipping),
		Items: s.ItemsCount,
	}
}

// resolve resolves target relative to page.
func resolve(page, target string) Text {
	if base, err := url.Parse(page); err == nil {
		if to, err := base.Parse(target); err == nil {
			target = to.String()
		}
	}
	return newURL(target)
}
