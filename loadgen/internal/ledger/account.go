package ledger

import (
	"maps"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// Account is what became of a target's visits, and what they brought.
type Account struct {
	// Planned visits have begun; Split are those that Matomo makes beyond one of each, Repeated those that it may make.
	Planned, Split, Repeated uint64
	Visits                   [Fates]uint64
	Sales                    Sale
	Opened                   Opened
}

func (a *Account) add(o Account) {
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
func (a Account) OpenVisits() uint64 {
	open := a.Planned
	for _, n := range a.Visits {
		open -= n
	}
	return open
}

// Sale is what accepted orders brought; Items counts pieces, as Matomo does (core/Tracker/GoalManager.php).
type Sale struct {
	Revenue, Tax, Shipping shop.Cents
	Items                  uint64
}

// saleOf is that of hit i of a visit, zero for what is no order.
func saleOf(v *visit.Visit, i int) Sale {
	if v.Hits[i].Kind != hit.Order {
		return Sale{}
	}
	o := v.Order(i)
	s := Sale{Revenue: o.Revenue, Tax: o.Tax, Shipping: o.Shipping}
	for i := range o.Items {
		s.Items += uint64(o.Items[i].Quantity)
	}
	return s
}

func (s *Sale) add(o Sale) {
	s.Revenue += o.Revenue
	s.Tax += o.Tax
	s.Shipping += o.Shipping
	s.Items += o.Items
}

// Origin tells of a visit what Matomo's reports break visits down by.
type Origin struct {
	// Day is the midnight, in Unix seconds, with which the day of the site begins.
	Day int64
	// Visitor is as visit.Seen tells.
	Visitor visitor.Visitor
	// Late says that not the first hit opened it, which alone carries the source.
	Late bool
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

func (c Opened) add(o Origin) {
	c.Days[o.Day]++
	c.Countries[o.Visitor.Place.Country]++
	source := string(o.Visitor.Source.Type)
	if o.Late {
		source = ""
	}
	c.Sources[source]++
	c.Devices[o.Visitor.Device.Type]++
}

func (c Opened) clone() Opened {
	return Opened{maps.Clone(c.Days), maps.Clone(c.Countries), maps.Clone(c.Sources), maps.Clone(c.Devices)}
}

func (c Opened) merge(o Opened) {
	plus(c.Days, o.Days)
	plus(c.Countries, o.Countries)
	plus(c.Sources, o.Sources)
	plus(c.Devices, o.Devices)
}

func plus[K comparable](into, from map[K]uint64) {
	for k, n := range from {
		into[k] += n
	}
}
