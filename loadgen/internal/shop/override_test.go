package shop_test

import (
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
)

func cents(c shop.Cents) *shop.Cents { return &c }
func count(n int) *int               { return &n }

func TestGivenAmountsAreKeptAndOthersDerived(t *testing.T) {
	for name, c := range map[string]struct {
		given shop.Override
		// want are the amounts that follow; -1 is drawn.
		subtotal, tax, shipping, discount, revenue shop.Cents
	}{
		"all given": {shop.Override{Revenue: cents(12000), Subtotal: cents(10000),
			Tax: cents(1000), Shipping: cents(1000)}, 10000, 1000, 1000, 0, 12000},
		"all given, with a discount": {shop.Override{Revenue: cents(11000), Subtotal: cents(10000),
			Tax: cents(1000), Shipping: cents(1000)}, 10000, 1000, 1000, 1000, 11000},
		"revenue and subtotal, rate fits": {shop.Override{Revenue: cents(11659), Subtotal: cents(10000)}, 10000,
			1060, 599, 0, 11659},
		"revenue and subtotal alike": {shop.Override{Revenue: cents(5000), Subtotal: cents(5000)}, 5000, 0,
			0, 0, 5000},
		"revenue below subtotal": {shop.Override{Revenue: cents(4000), Subtotal: cents(5000)}, 5000, 0, 0,
			1000, 4000},
		"revenue, subtotal and tax": {shop.Override{Revenue: cents(6000), Subtotal: cents(5000),
			Tax: cents(300)}, 5000, 300, 700, 0, 6000},
		"revenue, subtotal and shipping": {shop.Override{Revenue: cents(6000), Subtotal: cents(5000),
			Shipping: cents(300)}, 5000, 700, 300, 0, 6000},
		"revenue and shipping": {shop.Override{Revenue: cents(11000), Shipping: cents(0)}, 10000, 1000,
			0, 0, 11000},
		"revenue that the rounding leaps": {shop.Override{Revenue: cents(11006), Shipping: cents(0)}, 10005, 1001,
			0, 0, 11006},
		"revenue and tax": {shop.Override{Revenue: cents(11000), Tax: cents(0), Shipping: cents(0)},
			11000, 0, 0, 0, 11000},
		"only revenue":                       {shop.Override{Revenue: cents(49900)}, -1, 4536, -1, 0, 49900},
		"revenue too small for any shipping": {shop.Override{Revenue: cents(100)}, 91, 9, 0, 0, 100},
		"only subtotal":                      {shop.Override{Subtotal: cents(20000)}, 20000, -1, -1, 0, -1},
		"subtotal and shipping": {shop.Override{Subtotal: cents(20000), Shipping: cents(1000)}, 20000,
			2100, 1000, 0, 23100},
		"subtotal below any product":   {shop.Override{Subtotal: cents(300)}, 300, -1, -1, 0, -1},
		"subtotal above the catalogue": {shop.Override{Subtotal: cents(9_000_001)}, 9_000_001, -1, -1, 0, -1},
		"tax and shipping":             {shop.Override{Tax: cents(50), Shipping: cents(7)}, -1, 50, 7, 0, -1},
		"only pieces":                  {shop.Override{Items: count(7)}, -1, -1, -1, 0, -1},
		"pieces and subtotal": {shop.Override{Items: count(3), Subtotal: cents(12345)}, 12345, -1,
			-1, 0, -1},
		"a thousand pieces for ten": {shop.Override{Items: count(1000), Subtotal: cents(1000)}, 1000, -1,
			-1, 0, -1},
		"one piece and revenue": {shop.Override{Items: count(1), Revenue: cents(99999)}, -1, -1,
			-1, 0, 99999},
		"two pieces": {shop.Override{Items: count(2), Revenue: cents(33333)}, -1, -1,
			-1, 0, 33333},
		"nothing": {shop.Override{}, -1, -1, -1, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, usual())
			if err := s.ValidateOverride(c.given); err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(500) {
				o, err := s.OrderWith(seeded(seed), c.given)
				if err != nil {
					t.Fatal(err)
				}
				sums(t, o)
				for _, a := range []struct {
					name      string
					got, want shop.Cents
				}{{"subtotal", o.Subtotal, c.subtotal}, {"tax", o.Tax, c.tax}, {"shipping", o.Shipping, c.shipping},
					{"discount", o.Discount, c.discount}, {"revenue", o.Revenue, c.revenue}} {
					if a.want >= 0 && a.got != a.want {
						t.Fatalf("%s is %v, want %v", a.name, a.got, a.want)
					}
				}
				if n := pieces(o); c.given.Items != nil && n != *c.given.Items {
					t.Fatalf("%d pieces, want %d", n, *c.given.Items)
				}
			}
		})
	}
}

func pieces(o shop.Order) int {
	n := 0
	for _, it := range o.Items {
		n += it.Quantity
	}
	return n
}

func TestAFixedSumIsReachedWithCataloguePricesIfPossible(t *testing.T) {
	s := open(t, usual())
	for seed := range uint64(2000) {
		o, err := s.OrderWith(seeded(seed), shop.Override{Subtotal: cents(12345)})
		if err != nil {
			t.Fatal(err)
		}
		catalogued(t, prices(s), o)
	}
}

func TestImpossibleOverridesAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		given shop.Override
		want  string
	}{
		"parts too small": {shop.Override{Revenue: cents(10000), Subtotal: cents(5000), Tax: cents(10),
			Shipping: cents(10)}, "revenue is more than subtotal, tax and shipping together"},
		"nothing left for items": {shop.Override{Revenue: cents(1000), Shipping: cents(999)},
			"revenue 10.00 leaves less than 0.01 for each of the items (1) after tax and shipping"},
		"free of charge": {shop.Override{Subtotal: cents(0)},
			"subtotal must be at least 0.01 for each of the items (1), got 0.00"},
		"less than a cent per piece": {shop.Override{Subtotal: cents(5), Items: count(6)},
			"subtotal must be at least 0.01 for each of the items (6), got 0.05"},
		"negative tax":    {shop.Override{Tax: cents(-1)}, "tax must be 0 to 10000000000.00, got -0.01"},
		"no pieces":       {shop.Override{Items: count(0)}, "items must be 1 to 1000, got 0"},
		"too many pieces": {shop.Override{Items: count(1001)}, "items must be 1 to 1000, got 1001"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, usual())
			err := s.ValidateOverride(c.given)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if _, again := s.OrderWith(seeded(1), c.given); again == nil {
				t.Error("OrderWith returns an order")
			}
		})
	}
}
