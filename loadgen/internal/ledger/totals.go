package ledger

import (
	"maps"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// VisitTotals is what became of a target's visits, and what they brought.
type VisitTotals struct {
	// Planned visits have begun; Split are those that Matomo makes beyond one of each, Repeated those that it may make.
	Planned, Split, Repeated uint64
	Visits                   [VisitOutcomes]uint64
	Sales                    Sales
	Opened                   Opened
}

func (a *VisitTotals) add(o VisitTotals) {
	a.Planned += o.Planned
	a.Split += o.Split
	a.Repeated += o.Repeated
	for f, n := range o.Visits {
		a.Visits[f] += n
	}
	a.Sales.add(o.Sales)
	a.Opened.merge(o.Opened)
}

// OpenVisits is the number of visits that have begun and not ended.
func (a VisitTotals) OpenVisits() uint64 {
	open := a.Planned
	for _, n := range a.Visits {
		open -= n
	}
	return open
}

// Sales is what accepted orders brought; Items counts pieces, as Matomo does (core/Tracker/GoalManager.php).
type Sales struct {
	Revenue, Tax, Shipping shop.Cents
	Items                  uint64
}

// salesOf is that of hit i of a visit, zero for what is no order.
func salesOf(v *visit.Visit, i int) Sales {
	if v.Hits[i].Kind != hit.Order {
		return Sales{}
	}
	o := v.Order(i)
	s := Sales{Revenue: o.Revenue, Tax: o.Tax, Shipping: o.Shipping}
	for i := range o.Items {
		s.Items += uint64(o.Items[i].Quantity)
	}
	return s
}

func (s *Sales) add(o Sales) {
	s.Revenue += o.Revenue
	s.Tax += o.Tax
	s.Shipping += o.Shipping
	s.Items += o.Items
}

// Dimensions tells of a visit what Matomo's reports break visits down by.
type Dimensions struct {
	// Day is the midnight, in Unix seconds, with which the day of the site begins.
	Day int64
	// Visitor is as visit.Seen tells.
	Visitor visitor.Visitor
	// SourceLost says that not the first hit opened it, which alone carries the source.
	SourceLost bool
}

// Opened counts the visits that Matomo has opened.
type Opened struct {
	// Days is by Origin.Day, Countries by ISO code; "" are the sources that nothing tells.
	Days                        map[int64]uint64
	Countries, Sources, Devices map[string]uint64
}

func newOpened() Opened {
	return Opened{map[int64]uint64{}, map[string]uint64{}, map[string]uint64{}, map[string]uint64{}}
}

func (c Opened) add(o Dimensions) {
	c.Days[o.Day]++
	c.Countries[o.Visitor.Place.Country]++
	source := string(o.Visitor.Source.Type)
	if o.SourceLost {
		source = ""
	}
	c.Sources[source]++
	c.Devices[o.Visitor.Device.Type]++
}

func (c Opened) clone() Opened {
	return Opened{maps.Clone(c.Days), maps.Clone(c.Countries), maps.Clone(c.Sources), maps.Clone(c.Devices)}
}

func (c Opened) merge(o Opened) {
	addCounts(c.Days, o.Days)
	addCounts(c.Countries, o.Countries)
	addCounts(c.Sources, o.Sources)
	addCounts(c.Devices, o.Devices)
}

func addCounts[K comparable](into, from map[K]uint64) {
	for k, n := range from {
		into[k] += n
	}
}
