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

// cents reads an amount as PHP reads a float, the longest number at the beginning ("12,50" is 12), and rounds it to
// the cent as Matomo does.
func cents(s string) int64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(numberPrefix.FindString(s)), 64)
	if err != nil {
		return 0
	}
	return int64(math.Round(f * 100))
}

// item is a line of an order.
type item struct {
	sku, name string
	price     int64 // cents
	quantity  int64
}

// parseItems reads ec_items as Matomo does: broken JSON is no items at all, an item without SKU is skipped, a missing
// quantity or 0 is 1 (core/Tracker/GoalManager.php). strict says whether it had the documented shape.
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

// isCategory takes a name or a list of at most five.
func isCategory(cell any) bool {
	if s, ok := cell.(string); ok {
		return s != ""
	}
	list, ok := cell.([]any)
	return ok && len(list) <= 5
}

// saleOf is what an order brings.
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
	if !h.has("revenue") {
		s.rules.report(h, RuleMissing, "revenue", "")
	}
	sum := cents(p["ec_st"]) + cents(p["ec_tx"]) + cents(p["ec_sh"]) - cents(p["ec_dt"])
	if cents(p["revenue"]) != sum {
		s.rules.report(h, RuleSum, "revenue", p["revenue"]+" is not "+p["ec_st"]+" + "+p["ec_tx"]+" + "+p["ec_sh"]+
			" - "+p["ec_dt"])
	}
	items, strict := parseItems(p["ec_items"])
	if !strict {
		s.rules.report(h, RuleItems, "ec_items", p["ec_items"])
		return
	}
	var total int64
	for _, it := range items {
		total += it.price * it.quantity
	}
	if total != cents(p["ec_st"]) {
		s.rules.report(h, RuleItemSum, "ec_items", strconv.FormatInt(total, 10)+" cents, ec_st="+p["ec_st"])
	}
}
