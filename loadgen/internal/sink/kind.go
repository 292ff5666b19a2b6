package sink

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// kind is what Matomo records a hit as: one of the rows below.
type kind struct {
	name string
	// plural names them in the line that the command prints. A kind without one is counted only where it occurs.
	plural string
	// action says that it is one of a visit's actions (plugins/Actions/Columns/VisitTotalActions.php).
	action bool
	figure reports.Figure
	// show is a hit as the visitor log shows it (plugins/Live/VisitorDetails.php and those of the plug-ins), nil where
	// it does not.
	show func(*Tracker, *hit) row
}

// The kinds.
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

// kinds are those that the counts always hold, as they are listed.
var kinds = []*kind{kindPageview, kindSearch, kindEvent, kindOutlink, kindDownload, kindOrder, kindPing}

// kindOf applies Matomo's order: what has a goal or a ping is no action at all; among actions download, outlink,
// event, content, search, pageview (core/Tracker/Action.php).
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

// filled is PHP's notion of a value that is not empty.
func filled(s string) bool { return s != "" && s != "0" }

// searched says whether Matomo makes a site search of the hit, asked to or by accident of the page's address
// (plugins/Actions/Actions/ActionSiteSearch.php).
func (t *Tracker) searched(p map[string]string) bool {
	if filled(p["search"]) {
		return filled(strings.TrimSpace(p["search"]))
	}
	page, fragment, _ := strings.Cut(readable(p["url"]), "#")
	_, query, _ := strings.Cut(page, "?")
	if _, inner, ok := strings.Cut(fragment, "?"); ok {
		fragment = inner
	}
	last := map[string]string{}
	for pair := range strings.SplitSeq(query+"&"+fragment, "&") {
		name, value, _ := strings.Cut(pair, "=")
		last[strings.ToLower(arrayless.Replace(name))] = lenient(value)
	}
	for _, name := range t.searches {
		if filled(strings.TrimSpace(last[name])) {
			return true
		}
	}
	return false
}

// arrayless takes the mark of an array off a name.
var arrayless = strings.NewReplacer("[]", "", "%5B%5D", "", "%5b%5d", "")

// readable is an address as Matomo takes it apart: entities are decoded, and semicolons stand for a query where no
// question mark is before them (core/Tracker/PageUrl.php).
func readable(address string) string {
	address = strings.ReplaceAll(address, "&amp;", "&")
	before, after, found := strings.Cut(address, ";")
	if !found || strings.Contains(before, "?") {
		return address
	}
	return before + "?" + strings.NewReplacer(";", "&", "?", "&").Replace(after)
}

// lenient decodes as PHP does: a % that begins no escape stands for itself.
func lenient(value string) string {
	if decoded, err := url.QueryUnescape(value); err == nil {
		return decoded
	}
	return value
}

// isPage says whether the sender meant a page. A page whose address Matomo takes for a search is still one.
func (h *hit) isPage() bool {
	if h.kind == kindPageview {
		return true
	}
	return h.kind == kindSearch && !h.has("search")
}
