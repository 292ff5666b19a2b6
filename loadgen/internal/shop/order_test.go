package shop_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
)

// usual has the defaults of the settings.
func usual() shop.Config {
	return shop.Config{RevenueMin: 1599, RevenueMax: 29999, ItemsMin: 1, ItemsMax: 5, TaxRate: .10,
		Shipping: []shop.Cents{0, 599, 999, 1599}}
}

func with(change func(*shop.Config)) shop.Config {
	cfg := usual()
	change(&cfg)
	return cfg
}

func open(t testing.TB, cfg shop.Config) *shop.Shop {
	t.Helper()
	s, err := shop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

func prices(s *shop.Shop) map[string]shop.Cents {
	listed := map[string]shop.Cents{}
	for _, p := range s.Catalogue() {
		listed[p.SKU] = p.Price
	}
	return listed
}

// sums fails unless the order adds up, no amount is negative and no product is in it twice.
func sums(t *testing.T, o shop.Order) {
	t.Helper()
	seen := map[string]bool{}
	var subtotal shop.Cents
	for _, it := range o.Items {
		if it.Price < 1 || it.Quantity < 1 || it.SKU == "" || it.Name == "" || it.Category == "" || seen[it.SKU] {
			t.Fatalf("item %+v is twice in the order or incomplete", it)
		}
		seen[it.SKU] = true
		subtotal += it.Price * shop.Cents(it.Quantity)
	}
	if subtotal != o.Subtotal || o.Revenue != o.Subtotal+o.Tax+o.Shipping-o.Discount {
		t.Fatalf("sums are wrong: items %v, %+v", subtotal, o)
	}
	if min(o.Subtotal, o.Tax, o.Shipping, o.Discount, o.Revenue) < 0 {
		t.Fatalf("negative amount: %+v", o)
	}
}

// catalogued fails unless every price is within 5 % of the catalogue's.
func catalogued(t *testing.T, listed map[string]shop.Cents, o shop.Order) {
	t.Helper()
	for _, it := range o.Items {
		if by := it.Price - listed[it.SKU]; 20*max(by, -by) > listed[it.SKU] {
			t.Fatalf("%s costs %v, the catalogue has %v", it.Name, it.Price, listed[it.SKU])
		}
	}
}

func TestEveryOrderIsConsistent(t *testing.T) {
	for name, cfg := range map[string]shop.Config{
		"defaults":          usual(),
		"always five lines": with(func(c *shop.Config) { c.ItemsMin = 5 }),
		"no tax":            with(func(c *shop.Config) { c.TaxRate = 0 }),
		"shipping is free":  with(func(c *shop.Config) { c.Shipping = []shop.Cents{0} }),
		"no shipping set":   with(func(c *shop.Config) { c.Shipping = nil }),
		"one revenue only":  with(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 10000, 10000 }),
		"one revenue, five lines": with(func(c *shop.Config) {
			c.RevenueMin, c.RevenueMax, c.ItemsMin = 7777, 7777, 5
		}),
		"one revenue, no tax": with(func(c *shop.Config) {
			c.RevenueMin, c.RevenueMax, c.TaxRate = 33333, 33333, 0
		}),
		"an uneven tax rate": with(func(c *shop.Config) { c.TaxRate = .0825 }),
		"twenty lines":       with(func(c *shop.Config) { c.ItemsMin, c.ItemsMax, c.RevenueMax = 20, 20, 1e7 }),
		"twenty lines, cheap": with(func(c *shop.Config) {
			c.ItemsMin, c.ItemsMax, c.RevenueMax = 20, 20, 52000
		}),
		"very large orders":         with(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 1300000, 1400000 }),
		"only the cheapest product": with(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 1, 860 }),
		"some lines out of reach":   with(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 1000, 3000 }),
		"some shipping out of reach": with(func(c *shop.Config) {
			c.RevenueMin, c.RevenueMax, c.Shipping = 1000, 2000, []shop.Cents{0, 5000}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, cfg)
			listed := prices(s)
			for seed := range uint64(4000) {
				o := s.Order(seeded(seed))
				sums(t, o)
				catalogued(t, listed, o)
				if o.Revenue < cfg.RevenueMin || o.Revenue > cfg.RevenueMax {
					t.Fatalf("revenue %v is out of range", o.Revenue)
				}
				if n := len(o.Items); n < cfg.ItemsMin || n > cfg.ItemsMax {
					t.Fatalf("%d lines", n)
				}
				if want := math.Round(cfg.TaxRate * float64(o.Subtotal+
					o.Shipping)); math.Abs(float64(o.Tax)-want) > .5 || o.Discount != 0 {
					t.Fatalf("tax %v on %v, want %v cents; discount %v", o.Tax, o.Subtotal+o.Shipping, want, o.Discount)
				}
			}
		})
	}
}

func TestTheSameSeedDrawsTheSameOrders(t *testing.T) {
	a, b := open(t, usual()), open(t, usual())
	first, second := seeded(7), seeded(7)
	for range 1000 {
		if x, y := a.Order(first), b.Order(second); !reflect.DeepEqual(x, y) {
			t.Fatalf("%+v and %+v", x, y)
		}
	}
}

// share fails unless count of n is within 4 standard errors of p; n is such that a fifth off would be seen.
func share(t *testing.T, what string, count, n int, p float64) {
	t.Helper()
	se := math.Sqrt(p * (1 - p) / float64(n))
	if 4*se > .1*p {
		t.Fatalf("%s: %d draws are too few to see a fifth", what, n)
	}
	if got := float64(count) / float64(n); math.Abs(got-p) > 4*se {
		t.Errorf("%s: share %.4f, want %.4f ± %.4f", what, got, p, 4*se)
	}
}

func TestLineCountsAreDrawnByWeight(t *testing.T) {
	const n = 200_000
	for name, c := range map[string]struct {
		cfg  shop.Config
		want map[int]float64
	}{
		"one to five": {usual(), map[int]float64{1: .6, 2: .25, 3: .1, 4: .04, 5: .01}},
		"two to four, renormalised": {with(func(c *shop.Config) {
			c.ItemsMin, c.ItemsMax = 2, 4
		}), map[int]float64{2: .25 / .39, 3: .1 / .39, 4: .04 / .39}},
		"six to eight, by quarters": {with(func(c *shop.Config) { c.ItemsMin, c.ItemsMax, c.RevenueMax = 6, 8, 1e7 }),
			map[int]float64{6: 16. / 21, 7: 4. / 21, 8: 1. / 21}},
		"without those out of reach": {with(func(c *shop.Config) {
			c.RevenueMax = 2400
		}), map[int]float64{1: .6 / .85, 2: .25 / .85}},
	} {
		t.Run(name, func(t *testing.T) {
			s, rng := open(t, c.cfg), seeded(1)
			got := map[int]int{}
			for range n {
				got[len(s.Order(rng).Items)]++
			}
			for lines, p := range c.want {
				share(t, name, got[lines], n, p)
			}
			if len(got) != len(c.want) {
				t.Errorf("line counts %v", got)
			}
		})
	}
}

func TestDrawsAreEvenIfTheRangeIsWide(t *testing.T) {
	const n = 100_000
	s, rng := open(t, with(func(c *shop.Config) { c.RevenueMin, c.RevenueMax, c.ItemsMax = 1, 1e7, 1 })), seeded(3)
	products, quantities, shipping, dearer := map[string]int{}, map[int]int{}, map[shop.Cents]int{}, 0
	listed := prices(s)
	for range n {
		o := s.Order(rng)
		products[o.Items[0].SKU]++
		quantities[o.Items[0].Quantity]++
		shipping[o.Shipping]++
		if o.Items[0].Price > listed[o.Items[0].SKU] {
			dearer++
		}
	}
	for sku := range listed {
		share(t, sku, products[sku], n, .02)
	}
	for q, p := range map[int]float64{1: .8, 2: .1, 3: .1} {
		share(t, "quantity", quantities[q], n, p)
	}
	for _, cost := range usual().Shipping {
		share(t, "shipping", shipping[cost], n, .25)
	}
	share(t, "dearer than the catalogue", dearer, n, .4985)
}

func TestTheCatalogueHasFiftyProductsInFiveCategories(t *testing.T) {
	s := open(t, usual())
	categories, lowest, highest := map[string]int{}, shop.Cents(1e9), shop.Cents(0)
	for _, p := range s.Catalogue() {
		categories[p.Category]++
		lowest, highest = min(lowest, p.Price), max(highest, p.Price)
	}
	if len(prices(s)) != 50 || len(categories) != 5 || lowest != 799 || highest != 129999 {
		t.Errorf("%d products, %v, %v to %v", len(prices(s)), categories, lowest, highest)
	}
	for category, n := range categories {
		if n != 10 {
			t.Errorf("%s has %d products", category, n)
		}
	}
}

func TestAnUnreachableRangeIsAnErrorWithTheReachableOne(t *testing.T) {
	lone := func(change func(*shop.Config)) shop.Config {
		return with(func(c *shop.Config) { c.ItemsMax, c.TaxRate, c.Shipping = 1, 0, nil; change(c) })
	}
	for name, c := range map[string]struct {
		cfg  shop.Config
		want string
	}{
		"below all": {lone(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 100, 759 }),
			"no order of 1 to 1 lines can be worth 1.00 to 7.59 with the catalogue, tax and shipping; possible " +
				"are 7.60 to 4094.94"},
		"above all": {lone(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 409495, 999999 }),
			"no order of 1 to 1 lines can be worth 4094.95 to 9999.99 with the catalogue, tax and shipping; " +
				"possible are 7.60 to 4094.94"},
		"in a hole": {lone(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 839, 854 }),
			"no order of 1 to 1 lines can be worth 8.39 to 8.54 with the catalogue, tax and shipping; possible " +
				"are 7.60 to 4094.94, the nearest 8.38 and 8.55"},
		"leapt over by the tax": {lone(func(c *shop.Config) { c.RevenueMin, c.RevenueMax, c.TaxRate = 1601, 1601, 1 }),
			"no order of 1 to 1 lines can be worth 16.01 to 16.01 with the catalogue, tax and shipping; " +
				"possible are 15.20 to 8189.88, the nearest 16.00 and 16.02"},
		"below the shipping": {lone(func(c *shop.Config) {
			c.RevenueMin, c.RevenueMax, c.Shipping = 1, 900, []shop.Cents{5000}
		}),
			"no order of 1 to 1 lines can be worth 0.01 to 9.00 with the catalogue, tax and shipping; possible " +
				"are 57.60 to 4144.94"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := shop.New(c.cfg)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestTheEndsOfTheReachableRangeAreReached(t *testing.T) {
	for _, at := range []shop.Cents{760, 838, 855, 409494, 409491} {
		cfg := shop.Config{RevenueMin: at, RevenueMax: at, ItemsMin: 1, ItemsMax: 1}
		if o := open(t, cfg).Order(seeded(1)); o.Revenue != at {
			t.Errorf("revenue %v, want %v", o.Revenue, at)
		}
	}
}

// The sums of one line are few enough to list: a single amount is accepted if it is one of them.
func TestEveryAmountIsReachedOrRejected(t *testing.T) {
	reachable := map[shop.Cents]bool{}
	for _, listed := range prices(open(t, usual())) {
		for price := (listed*95 + 99) / 100; 100*price <= 105*listed; price++ {
			reachable[price], reachable[2*price], reachable[3*price] = true, true, true
		}
	}
	for _, span := range [][2]shop.Cents{{740, 1100}, {1600, 1700}, {272900, 273100}, {409300, 409600}} {
		for at := span[0]; at <= span[1]; at++ {
			s, err := shop.New(shop.Config{RevenueMin: at, RevenueMax: at, ItemsMin: 1, ItemsMax: 1})
			if (err == nil) != reachable[at] {
				t.Fatalf("%v: reachable %v, New returns %v", at, reachable[at], err)
			}
			if err == nil {
				sums(t, s.Order(seeded(1)))
			}
		}
	}
}

func TestEveryAcceptedRangeIsReached(t *testing.T) {
	rng, accepted := seeded(11), 0
	for range 300 {
		cfg := shop.Config{ItemsMin: 1 + rng.IntN(6), TaxRate: float64(rng.IntN(26)) / 100,
			Shipping: []shop.Cents{0, shop.Cents(rng.IntN(3000))}}
		cfg.ItemsMax = cfg.ItemsMin + rng.IntN(3)
		cfg.RevenueMin = shop.Cents(rng.IntN([]int{5000, 50000, 3000000}[rng.IntN(3)]))
		cfg.RevenueMax = cfg.RevenueMin + shop.Cents(rng.IntN([]int{1, 3, 10000}[rng.IntN(3)]))
		s, err := shop.New(cfg)
		if err != nil {
			continue
		}
		accepted++
		listed := prices(s)
		for range 100 {
			o := s.Order(rng)
			sums(t, o)
			catalogued(t, listed, o)
			if o.Revenue < cfg.RevenueMin || o.Revenue > cfg.RevenueMax || len(o.Items) < cfg.ItemsMin ||
				len(o.Items) > cfg.ItemsMax {
				t.Fatalf("%+v: %+v", cfg, o)
			}
		}
	}
	if accepted < 50 {
		t.Fatalf("only %d ranges accepted", accepted)
	}
}

func TestSettingsOutOfBoundsAreErrors(t *testing.T) {
	for name, cfg := range map[string]shop.Config{
		"no lines":              with(func(c *shop.Config) { c.ItemsMin = 0 }),
		"too many lines":        with(func(c *shop.Config) { c.ItemsMax = 21 }),
		"lines min above max":   with(func(c *shop.Config) { c.ItemsMin, c.ItemsMax = 3, 2 }),
		"revenue min above max": with(func(c *shop.Config) { c.RevenueMin = 30000 }),
		"negative tax":          with(func(c *shop.Config) { c.TaxRate = -.1 }),
		"tax not a number":      with(func(c *shop.Config) { c.TaxRate = math.NaN() }),
		"negative shipping":     with(func(c *shop.Config) { c.Shipping = []shop.Cents{-1} }),
	} {
		if _, err := shop.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func BenchmarkOrder(b *testing.B) {
	for name, cfg := range map[string]shop.Config{
		"defaults":    usual(),
		"one revenue": with(func(c *shop.Config) { c.RevenueMin, c.RevenueMax = 10000, 10000 }),
		"five lines":  with(func(c *shop.Config) { c.ItemsMin = 5 }),
	} {
		b.Run(name, func(b *testing.B) {
			s, rng := open(b, cfg), seeded(1)
			for b.Loop() {
				s.Order(rng)
			}
		})
	}
}
