// Package visit generates the hits of a visit as a pure function of the seed, the run id and the visit's number. It
// does not depend on HTTP, sites, tokens or the clock; times are offsets from the first hit.
//
// A visit is generated again whenever one of its hits is sent. It is therefore drawn in three parts, each from its own
// random source: the outline, then the visitor and the pages as far as they are needed, then the details of a hit.
package visit

import (
	"cmp"
	"math/rand/v2"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
)

// MaxGap is the longest time between two actions of a visit: from 1800 s on Matomo opens another visit
// (visit_standard_length of config/global.ini.php, compared in core/Tracker/VisitorRecognizer.php).
const MaxGap = 1799 * time.Second

// Text is a text with its encoded form.
type Text = visitor.Text

// Hit is one request to the tracker.
type Hit struct {
	Kind hit.Kind
	// RecordedAs is the kind that Matomo records: a page whose URL has a search parameter is recorded as a search.
	RecordedAs hit.Kind
	// Offset is the recorded time since the visit's first hit, in full seconds; SendOffset is when the hit is sent.
	Offset, SendOffset time.Duration
	// URL and Title are of the page; Referrer is the previous page or the visit's source.
	URL, Title, Referrer Text

	page  uint16 // the hit that viewed the page
	order uint16 // number of the order in the visit, from 1
	extra uint8  // index in the behaviour's extras
	at    *page  // nil in a funnel
	step  *step  // nil outside a funnel
}

// ID is a visitor id: 16 lower-case hex digits.
type ID [16]byte

// String returns the id as Matomo shows it.
func (id ID) String() string { return string(id[:]) }

// Visit is what one visitor does.
type Visit struct {
	Number uint64
	// ID is unique in the run.
	ID      ID
	Visitor visitor.Visitor
	// Funnel is the name of the funnel, "" without one.
	Funnel string
	// Bounce is set for a visit of one page and nothing else.
	Bounce bool
	Hits   []Hit

	g      *Generator
	funnel *funnelPath // nil without one
	// firstBrowsed is the first hit whose page is not from the funnel.
	firstBrowsed int
	// rng draws the outline, whoRNG the visitor and the pages, detailRNG the details of a hit.
	pcg, whoPCG, detailPCG rand.PCG
	rng, whoRNG, detailRNG *rand.Rand
	dwell                  []time.Duration
	// extras are the pages of each extra, -1 for none.
	extras []int
}

// AsReported returns the visitor as Matomo's reports show it, for a visit whose first hit was filled: the first page
// can decide the source, by campaign parameters or as a direct entry.
func (v *Visit) AsReported() visitor.Visitor {
	reported := v.Visitor
	switch {
	case v.funnel != nil:
		reported.Source.Type = cmp.Or(v.funnel.source, reported.Source.Type)
	case v.Hits[0].at != nil:
		reported.Source.Type = cmp.Or(v.Hits[0].at.source, reported.Source.Type)
	}
	return reported
}

// Length returns the recorded time from the first to the last hit.
func (v *Visit) Length() time.Duration { return v.Hits[len(v.Hits)-1].Offset }

// step is a step of a funnel with what is the same in each visit.
type step struct {
	*funnel.Step
	title, keyword, category Text
	target                   Text // URL of an outlink or a download
	hits                     []Hit
}
