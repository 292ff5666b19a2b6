// Package hit owns the kinds of hits: a row for each, from which the ledger, summaries, reports, funnels and the
// comparison with Matomo derive what they count. It refuses to know how a hit is drawn, how it is written and what
// becomes of it.
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
	// Kinds is how many there are.
	Kinds int = iota
)

// Row is what is known of a kind.
type Row struct {
	// Name is that of ledgers, metrics, plans and APIs; Title is that for people.
	Name, Title string
	// Step is the type of a funnel's step that sends one, "" where none does.
	Step string
	// Opens says that it opens a visit and keeps one open.
	Opens bool
	// Action says that Matomo counts it among the actions of a visit (plugins/Actions/Columns/VisitTotalActions.php).
	Action bool
	// Figure names its count in a comparison with Matomo's reports, "" where they do not count it. Metric is the name
	// of the count in Actions.get, "" for orders, and for events, which are the rest of all actions.
	Figure, Metric string
}

// Rows are by Kind, in the order in which kinds are listed.
var Rows = [Kinds]Row{
	Pageview: {Name: "pageview", Title: "Page views", Step: "pageview", Opens: true, Action: true,
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

// String is the kind's name.
func (k Kind) String() string { return Rows[k].Name }

// Title is what people call the kind of a name, or the name where there is no such kind.
func Title(name string) string {
	if i := slices.IndexFunc(Rows[:], func(r Row) bool { return r.Name == name }); i >= 0 {
		return Rows[i].Title
	}
	return name
}

// OfStep is the kind that a funnel's step of a type sends; false where there is no such type.
func OfStep(step string) (Kind, bool) {
	i := slices.IndexFunc(Rows[:], func(r Row) bool { return r.Step == step && step != "" })
	return Kind(max(i, 0)), i >= 0
}
