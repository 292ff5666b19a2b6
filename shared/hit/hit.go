// Package hit owns the kinds of hits: ledger, summaries, reports, funnels and comparisons count by its rows.
package hit

import "slices"

// Kind is what a hit is for Matomo.
type Kind uint8

// The kinds. An event of either list of events.json is an Event.
const (
	Pageview Kind = iota
	Search
	Event
	Outlink
	Download
	Order
	Ping
	Kinds int = iota // how many there are
)

// Row describes a kind.
type Row struct {
	// Name is for ledgers, metrics, plans and APIs, Title for people.
	Name, Title string
	Step        string // the type of a funnel's step that sends one, "" where none does
	Opens       bool   // says that it opens a visit and keeps one open
	// Action means that Matomo counts it as an action of a visit (plugins/Actions/Columns/VisitTotalActions.php).
	Action bool
	// Figure is its name in a comparison with Matomo's reports, "" if they do not count it. Metric is its name in
	// Actions.get, "" for orders, and for events, which are the rest of all actions.
	Figure, Metric string
}

// Rows are indexed by Kind and in display order.
var Rows = [Kinds]Row{
	Pageview: {Name: "pageview", Title: "Pageviews", Step: "pageview", Opens: true, Action: true,
		Figure: "pageviews", Metric: "nb_pageviews"},
	Search: {Name: "search", Title: "Site searches", Step: "site_search", Opens: true, Action: true,
		Figure: "searches", Metric: "nb_searches"},
	Event: {Name: "event", Title: "Events", Step: "event", Opens: true, Action: true, Figure: "events"},
	Outlink: {Name: "outlink", Title: "Outlinks", Step: "outlink", Opens: true, Action: true,
		Figure: "outlinks", Metric: "nb_outlinks"},
	Download: {Name: "download", Title: "Downloads", Step: "download", Opens: true, Action: true,
		Figure: "downloads", Metric: "nb_downloads"},
	Order: {Name: "order", Title: "Orders", Step: "ecommerce", Opens: true, Figure: "orders"},
	Ping:  {Name: "ping", Title: "Pings"},
}

// String returns the kind's name.
func (k Kind) String() string { return Rows[k].Name }

// Title returns the title of a kind, or its name if it is unknown.
func Title(name string) string {
	if i := slices.IndexFunc(Rows[:], func(r Row) bool { return r.Name == name }); i >= 0 {
		return Rows[i].Title
	}
	return name
}

// OfStep returns the kind that a funnel's step of a type sends; false for an unknown type.
func OfStep(step string) (Kind, bool) {
	i := slices.IndexFunc(Rows[:], func(r Row) bool { return r.Step == step && step != "" })
	return Kind(max(i, 0)), i >= 0
}
