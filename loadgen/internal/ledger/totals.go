package ledger

import (
	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
)

// VisitTotals count a target's visits and what they brought.
type VisitTotals struct {
	// Planned visits have started. Split are those that Matomo records in addition to one each, Repeated those that it
	// may record.
	Planned, Split, Repeated uint64
	Visits                   [VisitOutcomes]uint64
	Sales                    Sales
	Opened                   Opened
}

func (a *VisitTotals) add(o VisitTotals) {
	a.Planned += o.Planned
	a.Split += o.Split
	a.Repeated += o.Repeated
	for i, n := range o.Visits {
		a.Visits[i] += n
	}
	a.Sales.add(o.Sales)
	a.Opened.merge(o.Opened)
}

// OpenVisits returns the number of visits that have started and not ended.
func (a VisitTotals) OpenVisits() uint64 {
	open := a.Planned
	for _, n := range a.Visits {
		open -= n
	}
	return open
}

// Sales are the amounts of accepted orders. Items counts pieces, as Matomo does (core/Tracker/GoalManager.php).
type Sales struct {
	Revenue, Tax, Shipping shop.Cents
	Items                  uint64
}

func (s *Sales) add(o Sales) {
	s.Revenue += o.Revenue
	s.Tax += o.Tax
	s.Shipping += o.Shipping
	s.Items += o.Items
}

// Dimensions are the values by which Matomo's reports break a visit down.
type Dimensions struct {
	// Day is the start of the site's day as a Unix time.
	Day int64
	// Visitor is as visit.AsReported returns it.
	Visitor visitor.Visitor
	// SourceLost is set if the visit was not opened by its first hit, which alone has the source.
	SourceLost bool
}

// Opened counts the visits that Matomo has opened.
type Opened struct {
	// Days is by Dimensions.Day, Countries by ISO code; "" in Sources are unknown ones.
	Days                        map[int64]uint64
	Countries, Sources, Devices map[string]uint64
}

func newOpened() Opened {
	return Opened{map[int64]uint64{}, map[string]uint64{}, map[string]uint64{}, map[string]uint64{}}
}

func (c Opened) add(d Dimensions) {
	c.Days[d.Day]++
	c.Countries[d.Visitor.Place.Country]++
	source := string(d.Visitor.Source.Type)
	if d.SourceLost {
		source = ""
	}
	c.Sources[source]++
	c.Devices[d.Visitor.Device.Type]++
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
