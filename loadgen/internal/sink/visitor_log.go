package sink

import (
	"crypto/sha1" //nolint:gosec // any hash that hides an id
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// mostDetailed is of how many visits the actions are kept, those that were opened last.
const mostDetailed = 1000

// detail keeps a hit as the visitor log shows it.
func (s *Sink) detail(v *reports.Visit, h *hit, at time.Time, opens bool) {
	t := s.cfg.Tracker
	if opens {
		v.Details = &reports.Details{Visit: t.visitRow(h)}
		s.detailed = append(s.detailed, v)
		if len(s.detailed) > mostDetailed {
			s.detailed[0].Details = nil
			s.detailed = s.detailed[1:]
		}
	}
	if v.Details == nil {
		return
	}
	if a := t.action(h); a != nil {
		_, offset := at.In(s.cfg.Sites[h.key.site].Zone).Zone()
		a["timestamp"] = at.Unix() + int64(offset)
		v.Details.Actions = append(v.Details.Actions, a)
	}
}

// visitRow is what a visit's first hit tells of the visitor.
func (t *Tracker) visitRow(h *hit) row {
	r := row{"visitIp": masked2(h.ip)}
	put := func(name, plugin, value string) {
		if !t.inactive[plugin] {
			r[name] = strings.Clone(value)
		}
	}
	put("resolution", "Resolution", h.params["res"])
	put("languageCode", "UserLanguage", strings.ToLower(h.lang))
	put("city", "UserCountry", h.params["city"])
	for word, code := range map[string]string{"Firefox/": "FF", "Edg/": "PS", "Chrome/": "CH"} {
		if strings.Contains(h.agent, word) {
			put("browserCode", "DevicesDetection", code)
		}
	}
	for word, code := range map[string]string{"Linux x86_64": "LIN", "Windows NT": "WIN", "Macintosh": "MAC"} {
		if strings.Contains(h.agent, word) {
			put("operatingSystemCode", "DevicesDetection", code)
		}
	}
	return r
}

// masked2 is an address without its last two bytes (plugins/PrivacyManager/IPAnonymizer.php).
func masked2(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	p, err := a.Prefix(map[bool]int{true: 16, false: 64}[a.Is4()])
	if err != nil {
		return ""
	}
	return p.Addr().String()
}

// action is a hit as an action of its visit, nil where it is none.
func (t *Tracker) action(h *hit) row {
	if h.kind.show == nil || h.kind.action && t.inactive["Actions"] {
		return nil
	}
	return h.kind.show(t, h)
}

func showPage(t *Tracker, h *hit) row {
	r := row{"type": "action", "url": t.page(h.params["url"]),
		"pageTitle": t.text(strings.TrimSpace(h.params["action_name"]))}
	if !t.inactive["PagePerformance"] {
		sum := 0
		for _, name := range timings {
			n, _ := strconv.Atoi(h.params[name]) // none is 0
			sum += n
		}
		r["pageLoadTimeMilliseconds"] = sum
	}
	return r
}

func showSearch(t *Tracker, h *hit) row {
	return row{"type": "search", "siteSearchKeyword": t.text(h.params["search"]),
		"siteSearchCategory": h.copied("search_cat"), "siteSearchCount": h.copied("search_count")}
}

func showEvent(t *Tracker, h *hit) row {
	return row{"type": "event", "url": t.page(h.params["url"]), "eventCategory": h.copied("e_c"),
		"eventAction": h.copied("e_a"), "eventName": h.copied("e_n"), "eventValue": h.copied("e_v")}
}

func showOrder(t *Tracker, h *hit) row {
	sale, id := saleOf(h), h.copied("ec_id")
	if t.hashedOrders {
		sum := sha1.Sum([]byte(id)) //nolint:gosec // see import
		id = hex.EncodeToString(sum[:])
	}
	return row{
		"type": "ecommerceOrder", "orderId": id, "items": sale.Items, "revenue": amount(sale.Revenue),
		"revenueSubTotal": amount(sale.Subtotal), "revenueTax": amount(sale.Tax),
		"revenueShipping": amount(sale.Shipping), "revenueDiscount": amount(sale.Discount),
	}
}

// copied is a parameter without the body that it came in.
func (h *hit) copied(name string) string { return strings.Clone(h.params[name]) }

// amount is money as Matomo shows it.
func amount(cents int64) float64 { return float64(cents) / 100 }
