package sink

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // Matomo's own way from user id to visitor id
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// visitorKey identifies a visitor: ids are unique per site.
type visitorKey struct {
	site int
	id   string
}

// hit is one tracking request, single or from a bulk request, as parsed by Matomo.
type hit struct {
	params          map[string]string
	token           string
	agent, lang, ip string // from the parameters, or else from the HTTP request
	key             visitorKey
	kind            *kind
}

// String describes the hit in a violation.
func (h *hit) String() string {
	return fmt.Sprintf("site %d, visitor %s, %s %s", h.key.site, h.key.id, h.kind.name, h.params["url"])
}

// has reports whether the parameter is present and not empty.
func (h *hit) has(name string) bool { return h.params[name] != "" }

// fault is a violation found by parsing.
type fault struct{ rule, parameter, value string }

// newHit returns a hit with these parameters, and reports faults. The visitor's id is uid, cid or _id, in this order
// (core/Tracker/Request.php), or else a simple fingerprint.
func (s *Sink) newHit(params map[string]string, token string, r *http.Request, faults ...fault) *hit {
	remote, _, _ := net.SplitHostPort(r.RemoteAddr) // always has a port
	h := &hit{
		params: params, token: cmp.Or(token, params["token_auth"]), agent: cmp.Or(params["ua"], r.UserAgent()),
		lang: cmp.Or(params["lang"], r.Header.Get("Accept-Language")), ip: cmp.Or(params["cip"], remote),
	}
	h.kind = s.cfg.Tracker.kindOf(params)
	h.key.site, _ = strconv.Atoi(params["idsite"]) // 0 is unknown
	switch {
	case h.has("uid"):
		sum := sha1.Sum([]byte(params["uid"])) //nolint:gosec // see import
		h.key.id = hex.EncodeToString(sum[:])[:idLength]
	case h.has("cid"):
		h.key.id = params["cid"]
	case len(params["_id"]) >= idLength:
		h.key.id = params["_id"][:idLength]
	default:
		f := fnv.New64a()
		_, _ = fmt.Fprint(f, h.ip, h.agent, h.lang) // never fails
		h.key.id = fmt.Sprintf("%016x", f.Sum64())
	}
	h.key.id = strings.Clone(h.key.id) // does not keep the body in memory
	for _, f := range faults {
		s.rules.report(h, f.rule, f.parameter, f.value)
	}
	return h
}

// parseForm parses a query string or form body into params like PHP: the last of equal names wins.
func parseForm(params map[string]string, text string) (faults []fault) {
	values, err := url.ParseQuery(text)
	for name, all := range values {
		if len(all) > 1 {
			faults = append(faults, fault{RuleRepeated, name, all[1]})
		}
		params[name] = all[len(all)-1]
	}
	if err != nil {
		faults = append(faults, fault{RuleEncoding, "", err.Error()})
	}
	return faults
}

// kind is how Matomo records a hit.
type kind struct {
	name   string
	plural string // in the progress of the command
	// action means that it counts as an action of a visit (plugins/Actions/Columns/VisitTotalActions.php).
	action bool
	figure reports.Figure
	// show returns the row of a hit in the visitor log (plugins/Live/VisitorDetails.php and those of the plugins); nil
	// if it has none.
	show func(*Tracker, *hit) row
}

var (
	kindPageview = &kind{name: "pageview", plural: "pageviews", action: true, figure: reports.Pageviews, show: showPage}
	kindSearch   = &kind{name: "search", plural: "searches", action: true, figure: reports.Searches, show: showSearch}
	kindEvent    = &kind{name: "event", plural: "events", action: true, figure: reports.Events, show: showEvent}
	kindOutlink  = &kind{name: "outlink", plural: "outlinks", action: true, figure: reports.Outlinks,
		show: func(t *Tracker, h *hit) row { return row{"type": "outlink", "url": t.text(h.params["link"])} }}
	kindDownload = &kind{name: "download", plural: "downloads", action: true, figure: reports.Downloads,
		show: func(t *Tracker, h *hit) row { return row{"type": "download", "url": t.text(h.params["download"])} }}
	kindOrder   = &kind{name: "order", plural: "orders", figure: reports.Orders, show: showOrder}
	kindPing    = &kind{name: "ping", plural: "pings"}
	kindContent = &kind{name: "content"}
	kindCart    = &kind{name: "cart"}
	kindGoal    = &kind{name: "goal"}
)

// kinds are always present in the counts, in this order.
var kinds = []*kind{kindPageview, kindSearch, kindEvent, kindOutlink, kindDownload, kindOrder, kindPing}

// kindOf returns the kind of a hit. It checks kinds in Matomo's order (core/Tracker/Action.php).
func (t *Tracker) kindOf(p map[string]string) *kind {
	if p["ping"] == "1" && !t.inactive["Heartbeat"] {
		return kindPing
	}
	if goal, err := strconv.Atoi(p["idgoal"]); err == nil && goal >= 0 &&
		(goal > 0 || !t.inactive["Ecommerce"] && !t.inactive["Goals"]) {
		switch {
		case goal > 0:
			return kindGoal
		case filled(p["ec_id"]):
			return kindOrder
		default:
			return kindCart
		}
	}
	switch {
	case filled(p["download"]):
		return kindDownload
	case filled(p["link"]):
		return kindOutlink
	case p["e_c"] != "" && p["e_a"] != "" && !t.inactive["Events"]:
		return kindEvent
	case filled(p["c_n"]):
		return kindContent
	case t.siteSearch && t.searched(p):
		return kindSearch
	default:
		return kindPageview
	}
}

// filled reports whether a value is not empty by PHP's definition.
func filled(s string) bool { return s != "" && s != "0" }

// searched reports whether Matomo records a site search, because of a search parameter of the hit or of the page's URL
// (plugins/Actions/Actions/ActionSiteSearch.php).
func (t *Tracker) searched(p map[string]string) bool {
	if filled(p["search"]) {
		return filled(strings.TrimSpace(p["search"]))
	}
	page, fragment, _ := strings.Cut(normalize(p["url"]), "#")
	_, query, _ := strings.Cut(page, "?")
	if _, inner, ok := strings.Cut(fragment, "?"); ok {
		fragment = inner
	}
	last := map[string]string{}
	for pair := range strings.SplitSeq(query+"&"+fragment, "&") {
		name, value, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			decoded = value // PHP keeps a % that starts no escape
		}
		last[strings.ToLower(withoutBrackets.Replace(name))] = decoded
	}
	return slices.ContainsFunc(t.searches, func(name string) bool { return filled(strings.TrimSpace(last[name])) })
}

// withoutBrackets removes the brackets of an array from a name.
var withoutBrackets = strings.NewReplacer("[]", "", "%5B%5D", "", "%5b%5d", "")

// normalize decodes entities of a URL like Matomo, which treats semicolons as a query if no question mark precedes them
// (core/Tracker/PageUrl.php).
func normalize(address string) string {
	address = strings.ReplaceAll(address, "&amp;", "&")
	before, after, found := strings.Cut(address, ";")
	if !found || strings.Contains(before, "?") {
		return address
	}
	return before + "?" + strings.NewReplacer(";", "&", "?", "&").Replace(after)
}

// isPage reports whether the sender meant a page, even if Matomo records its URL as a search.
func (h *hit) isPage() bool {
	return h.kind == kindPageview || h.kind == kindSearch && !h.has("search")
}

// maxDetailed is the number of last visits whose actions are kept.
const maxDetailed = 1000

// detail adds a hit to the visitor log.
func (s *Sink) detail(v *reports.Visit, h *hit, at time.Time, opens bool) {
	t := s.cfg.Tracker
	if opens {
		v.Details = &reports.Details{Visit: t.visitRow(h)}
		s.detailed = append(s.detailed, v)
		if len(s.detailed) > maxDetailed {
			s.detailed[0].Details = nil
			s.detailed = s.detailed[1:]
		}
	}
	if v.Details == nil || h.kind.show == nil || h.kind.action && t.inactive["Actions"] {
		return
	}
	action := h.kind.show(t, h)
	_, offset := at.In(s.cfg.Sites[h.key.site].Zone).Zone()
	action["timestamp"] = at.Unix() + int64(offset)
	v.Details.Actions = append(v.Details.Actions, action)
}

// visitRow returns the visitor of a visit's first hit.
func (t *Tracker) visitRow(h *hit) row {
	r := row{"visitIp": anonymize(h.ip)}
	put := func(name, plugin, value string) {
		if !t.inactive[plugin] {
			r[name] = strings.Clone(value)
		}
	}
	put("resolution", "Resolution", h.params["res"])
	put("languageCode", "UserLanguage", strings.ToLower(h.lang))
	put("city", "UserCountry", h.params["city"])
	for _, c := range []struct{ name, word, code string }{
		{"browserCode", "Firefox/", "FF"}, {"browserCode", "Edg/", "PS"}, {"browserCode", "Chrome/", "CH"},
		{"operatingSystemCode", "Linux x86_64", "LIN"}, {"operatingSystemCode", "Windows NT", "WIN"},
		{"operatingSystemCode", "Macintosh", "MAC"},
	} {
		if strings.Contains(h.agent, c.word) {
			put(c.name, "DevicesDetection", c.code)
		}
	}
	return r
}

// anonymize returns an address without its last two bytes (plugins/PrivacyManager/IPAnonymizer.php).
func anonymize(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	bits := 64
	if a.Is4() {
		bits = 16
	}
	return netip.PrefixFrom(a, bits).Masked().Addr().String()
}

func showPage(t *Tracker, h *hit) row {
	r := row{"type": "action", "url": t.page(h.params["url"]),
		"pageTitle": t.text(strings.TrimSpace(h.params["action_name"]))}
	if !t.inactive["PagePerformance"] {
		sum := 0
		for _, name := range timings {
			n, _ := strconv.Atoi(h.params[name]) // 0 if missing
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
		"type": "ecommerceOrder", "orderId": id, "items": sale.Items, "revenue": reports.Amount(sale.Revenue),
		"revenueSubTotal": reports.Amount(sale.Subtotal), "revenueTax": reports.Amount(sale.Tax),
		"revenueShipping": reports.Amount(sale.Shipping), "revenueDiscount": reports.Amount(sale.Discount),
	}
}

// copied returns a parameter as a copy, which does not keep the body in memory.
func (h *hit) copied(name string) string { return strings.Clone(h.params[name]) }
