// Package funnel owns funnels.json: paths that a share of the visitors follows, and the actual share of each. It does
// not depend on how a step is sent or where funnels are stored.
package funnel

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/strictjson"
	"github.com/puttrix/trafficinator/shared/urllist"
)

const (
	// MaxDelay is the maximum delay in seconds: at 1800 Matomo starts another visit (visit_standard_length).
	MaxDelay = 1799
	// maxLength bounds a funnel in seconds. With up to two hours of browsing after it, and moved entirely before
	// midnight, a visit must not start more than 24 hours ago, the limit without a token
	// (tracking_requests_require_authentication_when_custom_timestamp_newer_than of config/global.ini.php).
	maxLength = 9 * 3600

	// maxSteps keeps a visit far below the 10,000 actions at which Matomo starts another one.
	maxSteps = 1000

	maxName, maxDescription, maxTitle = 100, 500, 120
)

// Decode reads funnels.json; name is its name in problems.
func Decode(name string, data []byte) ([]Funnel, problem.List) {
	d := strictjson.Parse(name, data)
	if d.Root == nil {
		return nil, d.Problems
	}
	var out []Funnel
	names := map[string]bool{}
	for _, v := range d.Root.List("") {
		f, ok := decodeFunnel(v)
		if !ok {
			continue
		}
		if f.Name != "" && names[strings.ToLower(f.Name)] {
			v.Refuse("name", f.Name, "is used by another funnel", "choose a unique name")
		}
		names[strings.ToLower(f.Name)] = true
		out = append(out, f)
	}
	return out, d.Problems
}

func decodeFunnel(v *strictjson.Value) (f Funnel, ok bool) {
	f = Funnel{Enabled: true, ExitAfterCompletion: true}
	if !v.Into(&f) {
		return f, false
	}
	length(v, "name", f.Name, 1, maxName)
	length(v, "description", f.Description, 0, maxDescription)
	const cure = "give a share such as 0.25"
	if v.Get("probability") == nil {
		v.Refuse("probability", "", "is missing", cure)
	} else if f.Probability < 0 || f.Probability > 1 {
		v.Refuse("probability", fmt.Sprint(f.Probability), "is not between 0 and 1", cure)
	}
	if f.Priority < 0 {
		v.Refuse("priority", fmt.Sprint(f.Priority), "is below 0", "use 0 or more; lower priorities are tried first")
	}
	list, total := v.List("steps"), 0.0
	for i, sv := range list {
		s, ok := decodeStep(sv)
		if !ok {
			continue
		}
		if i == 0 && s.Type != Pageview {
			sv.Refuse("type", s.Type, "is not a pageview", "start with a pageview, as every visit does")
		}
		f.Steps = append(f.Steps, s)
		total += s.DelayMax
	}
	switch n := len(list); {
	case v.Get("steps") == nil, list != nil && n == 0:
		v.Refuse("steps", "", "has no steps", "start with a pageview")
	case n > maxSteps:
		v.Refuse("steps", "", fmt.Sprintf("has %d steps, more than %d", n, maxSteps), "split it into several funnels")
	}
	if total > maxLength {
		v.Refuse("steps", "", fmt.Sprintf("can last %.0f s in total, more than %d", total, maxLength),
			"shorten the delays")
	}
	return f, true
}

func checkDelay(v *strictjson.Value, key string, n float64) {
	if n < 0 || n > MaxDelay {
		v.Refuse(key, fmt.Sprint(n), fmt.Sprintf("is not between 0 and %d seconds", MaxDelay),
			"Matomo ends a visit after 30 minutes without an action")
	}
}

func atLeast(v *strictjson.Value, key string, n *int, least int) {
	if n != nil && *n < least {
		v.Refuse(key, fmt.Sprint(*n), fmt.Sprintf("is below %d", least), "raise it or remove it")
	}
}

func length(v *strictjson.Value, key, text string, least, most int) {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		v.Refuse(key, "", "is missing or empty", "enter a text")
	case n > most:
		v.Refuse(key, text, fmt.Sprintf("has %d characters, more than %d", n, most), "shorten it")
	}
}

// doubt warns of a text that Matomo changes; limit is in bytes.
func doubt(v *strictjson.Value, key, text string, limit int) {
	if message, cure := matomotext.Check(text, limit); message != "" {
		v.Warn(key, text, message, cure)
	}
}

func address(v *strictjson.Value, key, raw string, relative bool) {
	full := raw
	if relative && strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		full = "https://host" + raw
	}
	if fault := urllist.CheckAddress(full); fault != nil {
		v.Refuse(key, fault.Redacted(raw), fault.Message, fault.Cure)
		return
	}
	doubt(v, key, raw, matomotext.MaxText)
}

// Funnel is a path and the probability that a visit follows it.
type Funnel struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Probability float64 `json:"probability"` // 0..1; funnels with a lower Priority are tried first.
	Priority    int     `json:"priority"`
	Enabled     bool    `json:"enabled"`
	// ExitAfterCompletion ends the visit after the last step; otherwise the visitor browses on.
	ExitAfterCompletion bool   `json:"exit_after_completion"`
	Steps               []Step `json:"steps"`
}

// Sorted returns the funnels in the order in which they are tried: by priority, ties as given.
func Sorted(funnels []Funnel) []Funnel {
	out := slices.Clone(funnels)
	slices.SortStableFunc(out, func(a, b Funnel) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
}

// Shares returns the actual shares of all visits, 0..1, in the order of funnels: a funnel gets its probability of what
// the funnels before it leave. A disabled funnel gets 0.
func Shares(funnels []Funnel) []float64 {
	order := make([]int, len(funnels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(funnels[a].Priority, funnels[b].Priority) })
	shares := make([]float64, len(funnels))
	left := 1.0
	for _, i := range order {
		if funnels[i].Enabled {
			shares[i] = left * funnels[i].Probability
			left -= shares[i]
		}
	}
	return shares
}

// Encode writes the funnels as funnels.json.
func Encode(funnels []Funnel) ([]byte, error) {
	if funnels == nil {
		funnels = []Funnel{}
	}
	data, err := strictjson.Encode(funnels)
	if err != nil {
		return nil, fmt.Errorf("encode funnels: %w", err)
	}
	// Unused keys are null (FEATURES FMT-03). Inside a text every quote is escaped, so this is always a key's value.
	return bytes.ReplaceAll(data, []byte(`": ""`), []byte(`": null`)), nil
}

// The types of a step, see hit.Row.
const (
	Pageview   = "pageview"
	Event      = "event"
	SiteSearch = "site_search"
	Outlink    = "outlink"
	Download   = "download"
	Ecommerce  = "ecommerce"
)

// Types are all types.
var Types = []string{Pageview, Event, SiteSearch, Outlink, Download, Ecommerce}

// Step is one thing that a visitor does. Fields that its type does not use are empty.
type Step struct {
	Type string `json:"type"`
	// URL is the page; except for a pageview it may be empty for the previous page. Its title is Title or ActionName.
	URL        string `json:"url"`
	ActionName string `json:"action_name"`
	Title      string `json:"title"`

	EventCategory string   `json:"event_category"`
	EventAction   string   `json:"event_action"`
	EventName     string   `json:"event_name"`
	EventValue    *float64 `json:"event_value"`

	SearchKeyword  string `json:"search_keyword"`
	SearchCategory string `json:"search_category"`
	SearchResults  *int   `json:"search_results"` // random if nil

	TargetURL string `json:"target_url"` // the URL of an outlink or a download

	// Missing values of an order are random. Currency has no effect: Matomo uses the site's.
	Revenue    *float64 `json:"ecommerce_revenue"`
	ItemsCount *int     `json:"ecommerce_items"`
	Subtotal   *float64 `json:"ecommerce_subtotal"`
	Tax        *float64 `json:"ecommerce_tax"`
	Shipping   *float64 `json:"ecommerce_shipping"`
	Currency   string   `json:"ecommerce_currency"`

	// DelayMin and DelayMax bound the time after this step, in seconds.
	DelayMin float64 `json:"delay_seconds_min"`
	DelayMax float64 `json:"delay_seconds_max"`
}

// Event returns the event of a step of type Event.
func (s *Step) Event() eventset.Event {
	return eventset.Event{Category: s.EventCategory, Action: s.EventAction, Name: s.EventName, Value: s.EventValue}
}

func decodeStep(v *strictjson.Value) (s Step, ok bool) {
	if !v.Into(&s) {
		return s, false
	}
	atLeast(v, "search_results", s.SearchResults, 0)
	atLeast(v, "ecommerce_items", s.ItemsCount, 1)
	checkAmount(v, "ecommerce_revenue", s.Revenue)
	checkAmount(v, "ecommerce_subtotal", s.Subtotal)
	checkAmount(v, "ecommerce_tax", s.Tax)
	checkAmount(v, "ecommerce_shipping", s.Shipping)
	checkDelay(v, "delay_seconds_min", s.DelayMin)
	checkDelay(v, "delay_seconds_max", s.DelayMax)
	if s.DelayMin > s.DelayMax {
		v.Refuse("delay_seconds_min", fmt.Sprint(s.DelayMin), fmt.Sprintf("is above delay_seconds_max=%g", s.DelayMax),
			"lower it or raise the other")
	}
	length(v, "title", s.Title, 0, maxTitle)
	doubt(v, "title", s.Title, matomotext.MaxText)
	doubt(v, "action_name", s.ActionName, matomotext.MaxText)
	if s.URL != "" {
		address(v, "url", s.URL, false)
	}
	need := func(key, text string) {
		if strings.TrimSpace(text) == "" { // Matomo trims
			v.Refuse(key, "", "is missing or empty", "set it: a step of type "+s.Type+" requires it")
		}
	}
	switch s.Type {
	case Pageview:
		need("url", s.URL)
	case Event:
		s.Event().Check(v, "event_")
	case SiteSearch:
		need("search_keyword", s.SearchKeyword)
		if strings.TrimSpace(s.SearchKeyword) != "" && matomotext.IsEmpty(s.SearchKeyword) {
			v.Refuse("search_keyword", s.SearchKeyword,
				"is treated as empty by Matomo, which records a pageview instead", "use another keyword")
		} else {
			doubt(v, "search_keyword", s.SearchKeyword, matomotext.MaxText)
		}
		doubt(v, "search_category", s.SearchCategory, matomotext.MaxCategory)
	case Outlink, Download:
		need("target_url", s.TargetURL)
		if s.TargetURL != "" {
			address(v, "target_url", s.TargetURL, s.Type == Download)
		}
	case Ecommerce:
		sums(v, s)
	default:
		last := len(Types) - 1
		v.Refuse("type", s.Type, "is not a step type", "use "+strings.Join(Types[:last], ", ")+" or "+Types[last])
	}
	return s, true
}

// sums checks the amounts of an order if all are given; a missing one is computed.
func sums(v *strictjson.Value, s Step) {
	switch {
	case s.Currency == "":
	case len(s.Currency) != 3:
		v.Refuse("ecommerce_currency", s.Currency, "is not a currency", "use three letters such as EUR, or remove it")
	default:
		v.Warn("ecommerce_currency", s.Currency, "has no effect: Matomo uses the site's currency", "remove it")
	}
	if s.Revenue == nil || s.Subtotal == nil || s.Tax == nil || s.Shipping == nil {
		return
	}
	cents := func(amount *float64) float64 { return math.Round(*amount * 100) }
	if sum := cents(s.Subtotal) + cents(s.Tax) + cents(s.Shipping); sum != cents(s.Revenue) {
		v.Refuse("ecommerce_revenue", fmt.Sprint(*s.Revenue),
			fmt.Sprintf("is not subtotal + tax + shipping = %.2f", sum/100), "correct or remove one of them")
	}
}

func checkAmount(v *strictjson.Value, key string, n *float64) {
	if n != nil && (*n < 0 || *n > 1e7) {
		v.Refuse(key, fmt.Sprint(*n), "is not between 0 and 10000000", "use an amount in that range, or remove it")
	}
}
