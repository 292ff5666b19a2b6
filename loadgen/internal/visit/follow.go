package visit

import (
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// follow is a visit along the steps of a funnel. A step's delay is the time until the next one; what happens
// elsewhere than on the page viewed last gets a view of its page first.
func (d *draft) follow(f *funnel.Funnel) {
	d.v.Funnel = f.Name
	var at, wait time.Duration
	for i := range f.Steps {
		s := &f.Steps[i]
		first := len(d.v.Hits)
		d.step(f, i)
		delay := d.delay(s)
		pause := delay
		if !d.g.b.Live {
			pause = min(delay, d.pause(i == len(f.Steps)-1 && f.ExitAfterCompletion))
		}
		d.spread(first, at, 0, wait, 0) // the delay comes after all that the step does
		at += delay
		wait += pause
	}
	if !f.ExitAfterCompletion {
		at, wait = d.goOn(at, wait)
	}
	d.leave(at, wait)
}

// delay is in whole seconds: the wire has no finer ones.
func (d *draft) delay(s *funnel.Step) time.Duration {
	seconds := s.DelayMin + d.rng.Float64()*(s.DelayMax-s.DelayMin)
	return time.Duration(seconds) * time.Second
}

// step appends the hits of step i: usually one.
func (d *draft) step(f *funnel.Funnel, i int) {
	s := &f.Steps[i]
	title := s.Title
	if title == "" {
		title = s.ActionName
	}
	if title == "" {
		title = f.Name + ": step " + strconv.Itoa(i+1)
	}
	if on := d.page(); s.Type == funnel.Pageview || s.URL != "" && s.URL != on {
		d.view(s.URL, title, recorded(s.URL), d.linkTo(s.URL))
	}
	switch s.Type {
	case funnel.Event:
		d.extra(Hit{Kind: Event, Event: EventData{s.EventCategory, s.EventAction, s.EventName, s.EventValue}})
	case funnel.SiteSearch:
		count := d.rng.IntN(26)
		if s.SearchResults != nil {
			count = *s.SearchResults
		}
		d.extra(Hit{Kind: Search, Title: title, Search: SearchTerm{s.SearchKeyword, s.SearchCategory, count}})
	case funnel.Outlink:
		d.extra(Hit{Kind: Outlink, Target: s.TargetURL})
	case funnel.Download:
		d.extra(Hit{Kind: Download, Target: resolve(d.page(), s.TargetURL)})
	case funnel.Ecommerce:
		order := d.g.orderOf(d, s)
		d.extra(Hit{Kind: Order, Order: &order, OrderID: d.orderID()})
	}
}

// orderOf draws the order of a step with what the step fixes of it. New has tried the same before.
func (g *Generator) orderOf(d *draft, s *funnel.Step) shop.Order {
	order, err := g.b.Shop.OrderWith(d.rng, Override(s))
	if err != nil {
		panic("order of a funnel step that was checked: " + err.Error())
	}
	return order
}

// page is the address of the page viewed last, "" before the first.
func (d *draft) page() string {
	if len(d.v.Hits) == 0 {
		return ""
	}
	return d.v.Hits[len(d.v.Hits)-1].URL
}

// linkTo is the referrer of a view of next: the source for the first page, then the page before, which is never
// that of another host.
func (d *draft) linkTo(next string) string {
	before := d.page()
	if before == "" {
		if urllist.Classify(urllist.Page{URL: next}).Campaign {
			return ""
		}
		return d.source()
	}
	was, _ := place(before)
	is, _ := place(next)
	if was != is {
		return ""
	}
	return before
}

// goOn browses on after a funnel as the same visitor on the same host: along its pages of the URL list, or those of
// the visit where the list has none of that host.
func (d *draft) goOn(at, wait time.Duration) (time.Duration, time.Duration) {
	name, _ := place(d.page())
	h := d.g.site.hosts[name]
	if h == nil {
		h = &host{}
		for _, hit := range d.v.Hits {
			if hit.Kind == Pageview {
				h.inner.add(&page{url: hit.URL, title: hit.Title, records: hit.Records})
			}
		}
	}
	current := h.find(d.page())
	pages := d.pageCount()
	dwell := d.split(d.length(pages), pages)
	for i := range pages {
		current = h.next(d.rng, current)
		pause := d.pause(i == pages-1)
		first := len(d.v.Hits)
		d.view(current.url, current.title, current.records, d.linkTo(current.url))
		d.spread(first, at, dwell[i], wait, pause)
		at += dwell[i]
		wait += pause
	}
	return at, wait
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
		Revenue: cents(s.Revenue), Subtotal: cents(s.Subtotal), Tax: cents(s.Tax), Shipping: cents(s.Shipping), Items: s.ItemsCount,
	}
}

func recorded(raw string) Kind {
	if urllist.Classify(urllist.Page{URL: raw}).Search {
		return Search
	}
	return Pageview
}

// resolve makes target absolute on the scheme and host of page.
func resolve(page, target string) string {
	base, err := url.Parse(page)
	if err != nil {
		return target
	}
	to, err := base.Parse(target)
	if err != nil {
		return target
	}
	return to.String()
}
