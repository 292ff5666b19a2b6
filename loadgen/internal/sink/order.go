package sink

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

var numberPrefix = regexp.MustCompile(`^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)`)

// cents parses an amount like a PHP float, the longest number at its start ("12,50" is 12), and rounds it to cents like
// Matomo.
func cents(s string) int64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(numberPrefix.FindString(s)), 64)
	if err != nil {
		return 0
	}
	return int64(math.Round(f * 100))
}

// item is an item of an order.
type item struct {
	sku, name string
	price     int64 // cents
	quantity  int64
}

// parseItems parses ec_items like Matomo: invalid JSON has no items, an item without SKU is skipped, and a quantity of
// 0 or none is 1 (core/Tracker/GoalManager.php). It reports whether the text strictly has the documented format.
func parseItems(text string) (items []item, strict bool) {
	var rows [][]any
	if json.Unmarshal([]byte(text), &rows) != nil {
		return nil, false
	}
	strict = len(rows) > 0
	for _, row := range rows {
		it := item{quantity: 1}
		strict = strict && len(row) == 5
		for i, cell := range row {
			strict = it.set(i, cell) && strict
		}
		if it.quantity == 0 {
			it.quantity, strict = 1, false
		}
		if it.sku != "" {
			items = append(items, it)
		}
		strict = strict && it.sku != "" && it.name != "" && it.price >= 0 && it.quantity > 0
	}
	return items, strict
}

func (it *item) set(column int, cell any) (strict bool) {
	switch column {
	case 0:
		it.sku, strict = cell.(string)
	case 1:
		it.name, strict = cell.(string)
	case 2:
		return isCategory(cell)
	case 3:
		f, ok := cell.(float64)
		it.price = int64(math.Round(f * 100))
		return ok && math.Abs(f*100-math.Round(f*100)) < 1e-6
	case 4:
		f, ok := cell.(float64)
		it.quantity = int64(f)
		return ok && f == math.Trunc(f)
	}
	return strict
}

// isCategory accepts a name or a list of at most five.
func isCategory(cell any) bool {
	if s, ok := cell.(string); ok {
		return s != ""
	}
	list, ok := cell.([]any)
	return ok && len(list) <= 5
}

// saleOf returns the amounts of an order.
func saleOf(h *hit) reports.Sales {
	p := h.params
	sale := reports.Sales{Revenue: cents(p["revenue"]), Subtotal: cents(p["ec_st"]), Tax: cents(p["ec_tx"]),
		Shipping: cents(p["ec_sh"]), Discount: cents(p["ec_dt"])}
	items, _ := parseItems(p["ec_items"])
	for _, it := range items {
		sale.Items += it.quantity
	}
	return sale
}

func (s *Sink) checkOrder(h *hit) {
	p := h.params
	s.rules.reportIf(!h.has("revenue"), h, RuleMissing, "revenue", "")
	sale := saleOf(h)
	s.rules.reportIf(sale.Revenue != sale.Subtotal+sale.Tax+sale.Shipping-sale.Discount, h, RuleSum, "revenue",
		p["revenue"]+" is not "+p["ec_st"]+" + "+p["ec_tx"]+" + "+p["ec_sh"]+" - "+p["ec_dt"])
	items, strict := parseItems(p["ec_items"])
	if !strict {
		s.rules.report(h, RuleItems, "ec_items", p["ec_items"])
		return
	}
	var total int64
	for _, it := range items {
		total += it.price * it.quantity
	}
	s.rules.reportIf(total != sale.Subtotal, h, RuleItemSum, "ec_items",
		strconv.FormatInt(total, 10)+" cents, ec_st="+p["ec_st"])
}
