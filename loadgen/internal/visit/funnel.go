package visit

import (
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

// funnelPath is a funnel with all that is the same for each visit along it.
type funnelPath struct {
	*funnel.Funnel
	steps []step
	// source is what the first page makes of the visit, see page.
	source visitor.SourceType
	// host and last are where a visit goes on after the last step.
	host *host
	last *page
}

// newFunnelPath makes the hits of a funnel's steps: usually one each. What happens elsewhere than on the page viewed last
// gets a view of its page first.
func (g *Generator) newFunnelPath(f *funnel.Funnel) funnelPath {
	p := funnelPath{Funnel: f, steps: make([]step, len(f.Steps))}
	var on Hit // the page viewed last
	n, orders, viewed := 0, 0, siteIndex{hosts: map[string]*host{}}
	for i := range f.Steps {
		s := newStep(f, i)
		if s.Type == funnel.Pageview || s.URL != "" && matomotext.TruncateURL(s.URL) != on.URL.Plain {
			view := newPage(s.URL, s.title.Plain)
			before := on.URL
			if Host(before.Plain) != Host(s.URL) { // never that of another host
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
	// Along the pages of the URL list, or those of the funnel where the list has none of that host.
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
	title := s.Title
	if title == "" {
		title = s.ActionName
	}
	if title == "" {
		title = f.Name + ": step " + strconv.Itoa(i+1)
	}
	s.title, s.keyword = visitor.NewText(
		matomotext.Truncate(title),
	), visitor.NewText(
		matomotext.Truncate(s.SearchKeyword),
	)
	s.category = visitor.NewText(textfile.Truncate(s.SearchCategory, matomotext.MaxCategory))
	return s
}

// followFunnel is a visit along the steps of a funnel. A step's delay is the time until the next one: it comes after all
// that the step does.
func (v *Visit) followFunnel(p *funnelPath) {
	v.Funnel = p.Name
	var at, wait time.Duration
	for i := range p.steps {
		s := &p.steps[i]
		first := len(v.Hits)
		v.Hits = append(v.Hits, s.hits...)
		delay := v.delay(s)
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
		at, wait = v.browseOn(at, wait)
	}
	v.addPing(at, wait)
}

// delay is in whole seconds: the wire has no finer ones.
func (v *Visit) delay(s *step) time.Duration {
	seconds := s.DelayMin + v.rng.Float64()*(s.DelayMax-s.DelayMin)
	return time.Duration(seconds) * time.Second
}

// browseOn browses on after a funnel as the same visitor on the same host, without extras.
func (v *Visit) browseOn(at, wait time.Duration) (time.Duration, time.Duration) {
	pages := v.pageCount()
	v.drawDwell(v.length(pages), pages)
	v.extras = v.extras[:0]
	return v.visitPages(pages, at, wait)
}

// Override is what a step fixes of its order.
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

// resolve makes target absolute on the scheme and host of page.
func resolve(page, target string) Text {
	if base, err := url.Parse(page); err == nil {
		if to, err := base.Parse(target); err == nil {
			target = to.String()
		}
	}
	return visitor.NewText(matomotext.TruncateURL(target))
}
