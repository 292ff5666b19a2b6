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

// detail keeps a hit as the visitor log shows it (plugins/Live/VisitorDetails.php and those of the plug-ins).
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
	p := func(name string) string { return strings.Clone(h.params[name]) }
	if h.kind.counted() && t.inactive["Actions"] {
		return nil
	}
	switch h.kind {
	case kindPageview:
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
	case kindSearch:
		return row{"type": "search", "siteSearchKeyword": t.text(h.params["search"]),
			"siteSearchCategory": p("search_cat"), "siteSearchCount": p("search_count")}
	case kindEvent:
		return row{"type": "event", "url": t.page(h.params["url"]), "eventCategory": p("e_c"), "eventAction": p("e_a"),
			"eventName": p("e_n"), "eventValue": p("e_v")}
	case kindOutlink:
		return row{"type": "outlink", "url": t.text(h.params["link"])}
	case kindDownload:
		return row{"type": "download", "url": t.text(h.params["download"])}
	case kindOrder:
		items := int64(0)
		lines, _ := parseItems(h.params["ec_items"])
		for _, it := range lines {
			items += it.quantity
		}
		id := p("ec_id")
		if t.hashedOrders {
			sum := sha1.Sum([]byte(id)) //nolint:gosec // see import
			id = hex.EncodeToString(sum[:])
		}
		return row{
			"type": "ecommerceOrder", "orderId": id, "items": items, "revenue": amount(h.params["revenue"]),
			"revenueSubTotal": amount(h.params["ec_st"]),
			"revenueTax":      amount(h.params["ec_tx"]), "revenueShipping": amount(h.params["ec_sh"]),
			"revenueDiscount": amount(h.params["ec_dt"]),
		}
	}
	return nil
}

// amount is money as Matomo shows it.
func amount(s string) float64 { return float64(cents(s)) / 100 }
