package sink

import (
	"net/url"
	"strconv"
	"strings"
)

// kind is what Matomo records a hit as.
type kind string

const (
	kindPageview kind = "pageview"
	kindSearch   kind = "search"
	kindEvent    kind = "event"
	kindOutlink  kind = "outlink"
	kindDownload kind = "download"
	kindOrder    kind = "order"
	kindPing     kind = "ping"
	kindContent  kind = "content"
	kindCart     kind = "cart"
	kindGoal     kind = "goal"
)

// kindOf applies Matomo's order: what has a goal or a ping is no action at all; among actions download, outlink,
// event, content, search, pageview (core/Tracker/Action.php).
func (t *Tracker) kindOf(p map[string]string) kind {
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

// counted says whether the kind is one of a visit's actions (plugins/Actions/Columns/VisitTotalActions.php).
func (k kind) counted() bool {
	switch k {
	case kindPageview, kindSearch, kindEvent, kindOutlink, kindDownload:
		return true
	default:
		return false
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
