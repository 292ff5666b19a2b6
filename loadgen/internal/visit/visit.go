// Package visit owns what one visitor does and when: the hits of a visit as a pure function of the seed, the run id
// and the visit's number. It knows nothing of HTTP, sites, tokens or the clock; times are offsets from the first hit.
package visit

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
)

// Kind is what a hit is for Matomo.
type Kind uint8

// The kinds of a hit. An event of either list is an Event.
const (
	Pageview Kind = iota
	Search
	Event
	Outlink
	Download
	Order
	Ping
	Kinds int = iota
)

// String is the kind's name in ledgers, metrics and plans.
func (k Kind) String() string {
	return [Kinds]string{"pageview", "search", "event", "outlink", "download", "order", "ping"}[k]
}

// MaxGap is the longest time between two actions of a visit: at 1800 s Matomo opens another visit
// (visit_standard_length of config/global.ini.php, compared in core/Tracker/VisitorRecognizer.php).
const MaxGap = 1799 * time.Second

// Hit is one request to the tracker.
type Hit struct {
	Kind Kind
	// Records is the kind that Matomo books: a page whose URL holds a search parameter is booked as a search.
	Records Kind
	// Offset is the recorded time after the visit's first hit, in whole seconds; Wait is when it is sent after it.
	Offset, Wait time.Duration
	// URL is the page; Title is its title, or that of the action; Referrer is the page before or the visit's source.
	URL, Title, Referrer string
	// PageviewID joins a page with what happens on it: six of [A-Za-z0-9].
	PageviewID string
	// Target is the address of an outlink or a download.
	Target string
	Search SearchTerm
	Event  EventData
	// Order is set on an order, with OrderID.
	Order   *shop.Order
	OrderID string
	Timing  *Timing
}

// SearchTerm is what was searched for on the site; Count is the number of results.
type SearchTerm struct {
	Keyword, Category string
	Count             int
}

// EventData is an event; Value is nil where it has none.
type EventData struct {
	Category, Action, Name string
	Value                  *float64
}

// Timing are the phases of a page load in milliseconds, as matomo.js reports them (pf_net … pf_onl).
type Timing struct{ Network, Server, Transfer, DOMProcessing, DOMCompletion, OnLoad int }

// Visit is all that one visitor does.
type Visit struct {
	Number uint64
	// ID is the visitor's id, 16 lower-case hex digits, no two visits of a run alike.
	ID      string
	Visitor visitor.Visitor
	// Funnel names the funnel that is followed, "" for free browsing.
	Funnel string
	// Bounce is a visit of one page and nothing else.
	Bounce bool
	Hits   []Hit
}

// Length is the recorded time from the first to the last hit.
func (v *Visit) Length() time.Duration { return v.Hits[len(v.Hits)-1].Offset }

// Order is the order of hit i.
func (v *Visit) Order(i int) *shop.Order { return v.Hits[i].Order }
