// Package visit owns what one visitor does and when: the hits of a visit as a pure function of the seed, the run id
// and the visit's number. It knows nothing of HTTP, sites, tokens or the clock; times are offsets from the first hit.
//
// A visit is made anew whenever one of its hits is sent. It is therefore drawn in three parts, each from a generator
// of its own: the outline, then who visits and the pages as far as they are needed, then what a single hit tells.
package visit

import (
	"math/rand/v2"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
)

// MaxGap is the longest time between two actions of a visit: at 1800 s Matomo opens another visit
// (visit_standard_length of config/global.ini.php, compared in core/Tracker/VisitorRecognizer.php).
const MaxGap = 1799 * time.Second

// Text is a text with the form in which it is sent.
type Text = visitor.Text

// Hit is one request to the tracker.
type Hit struct {
	Kind hit.Kind
	// RecordedAs is the kind that Matomo books: a page whose URL holds a search parameter is booked as a search.
	RecordedAs hit.Kind
	// Offset is the recorded time after the visit's first hit, in whole seconds; Wait is when it is sent after it.
	Offset, SendOffset time.Duration
	// URL is the page; Title is its title; Referrer is the page before or the visit's source.
	URL, Title, Referrer Text

	page  uint16 // the hit that viewed the page
	order uint16 // which order of the visit it is, from 1
	extra uint8  // which of the behaviour's extras it is
	at    *page  // where it happens, nil in a funnel
	step  *step  // of a funnel, else nil
}

// ID is a visitor's id, 16 lower-case hex digits.
type ID [16]byte

// String is the id as Matomo shows it.
func (id ID) String() string { return string(id[:]) }

// Visit is all that one visitor does.
type Visit struct {
	Number uint64
	// ID is no other visit's of the run.
	ID      ID
	Visitor visitor.Visitor
	// Funnel names the funnel that is followed, "" for free browsing.
	Funnel string
	// Bounce is a visit of one page and nothing else.
	Bounce bool
	Hits   []Hit

	g      *Generator
	funnel *funnelPath // that is followed, nil for free browsing
	// firstBrowsed is the first hit whose page is not that of a funnel.
	firstBrowsed int
	// rng draws the outline, who the visitor and the pages, detail what one hit tells.
	pcg, whoPCG, detailPCG rand.PCG
	rng, whoRNG, detailRNG *rand.Rand
	dwell                  []time.Duration
	// extras are the pages on which each extra happens, -1 for none.
	extras []int
}

// AsReported is the visitor as Matomo's reports break visits down, of a visit whose first hit was filled: the first page may
// decide the source, by a campaign or by asking to be taken for a direct entry.
func (v *Visit) AsReported() visitor.Visitor {
	who := v.Visitor
	var source visitor.SourceType
	switch {
	case v.funnel != nil:
		source = v.funnel.source
	case v.Hits[0].at != nil:
		source = v.Hits[0].at.source
	}
	if source != "" {
		who.Source.Type = source
	}
	return who
}

// Length is the recorded time from the first to the last hit.
func (v *Visit) Length() time.Duration { return v.Hits[len(v.Hits)-1].Offset }

// step is a step of a funnel with what is always the same of it.
type step struct {
	*funnel.Step
	title, keyword, category Text
	// target is the address of an outlink or a download.
	target Text
	hits   []Hit
}
