package funnel

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/recorded"
	"github.com/puttrix/trafficinator/shared/strictjson"
	"github.com/puttrix/trafficinator/shared/urllist"
)

const (
	// MaxDelay is the longest delay in seconds: at 1800 Matomo opens another visit (visit_standard_length).
	MaxDelay = 1799
	// maxLength bounds a funnel in seconds. With the two hours that a visit may browse on after it, and shifted whole
	// before midnight, a visit must not begin more than the 24 hours ago that Matomo takes without a token
	// (tracking_requests_require_authentication_when_custom_timestamp_newer_than of config/global.ini.php).
	maxLength = 9 * 3600

	// maxSteps keeps a visit far below the 10,000 actions at which Matomo opens another one.
	maxSteps = 1000

	maxName, maxDescription, maxTitle = 100, 500, 120
)

var stepKeys = []string{
	"type", "url", "action_name", "title", "event_category", "event_action", "event_name", "event_value",
	"search_keyword", "search_category", "search_results", "target_url",
	"ecommerce_revenue", "ecommerce_items", "ecommerce_subtotal", "ecommerce_tax", "ecommerce_shipping",
	"ecommerce_currency",
	"delay_seconds_min", "delay_seconds_max",
}

// Decode reads funnels.json; name is what problems call the file.
func Decode(name string, data []byte) ([]Funnel, problem.List) {
	d := strictjson.Parse(name, data)
	if d.Root == nil {
		return nil, d.Problems
	}
	var out []Funnel
	names := map[string]bool{}
	for _, v := range d.Root.List("") {
		if !v.Object("name", "description", "probability", "priority", "enabled", "exit_after_completion", "steps") {
			continue
		}
		f := decodeFunnel(v)
		if f.Name != "" && names[strings.ToLower(f.Name)] {
			v.Refuse("name", f.Name, "is the name of another funnel too", "give each its own")
		}
		names[strings.ToLower(f.Name)] = true
		out = append(out, f)
	}
	return out, d.Problems
}

func decodeFunnel(v *strictjson.Value) Funnel {
	f := Funnel{
		Name: v.Text("name"), Description: v.Text("description"),
		Enabled: v.Flag("enabled", true), ExitAfterCompletion: v.Flag("exit_after_completion", true),
	}
	length(v, "name", f.Name, 1, maxName)
	length(v, "description", f.Description, 0, maxDescription)
	switch p := v.Number("probability"); {
	case p == nil && v.Get("probability") == nil:
		v.Refuse("probability", "", "is missing", "give a share such as 0.25")
	case p != nil && (*p < 0 || *p > 1):
		v.Refuse("probability", fmt.Sprint(*p), "is not between 0 and 1", "give a share such as 0.25")
	case p != nil:
		f.Probability = *p
	}
	if n := v.Whole("priority"); n != nil {
		f.Priority = *n
		if *n < 0 {
			v.Refuse("priority", fmt.Sprint(*n), "is below 0", "use 0 for the funnel that is tried first")
		}
	}
	list, total := v.List("steps"), 0.0
	for i, sv := range list {
		if !sv.Object(stepKeys...) {
			continue
		}
		s := decodeStep(sv)
		if i == 0 && s.Type != Pageview {
			sv.Refuse("type", string(s.Type), "is no pageview", "begin with a pageview, as a visit does")
		}
		f.Steps = append(f.Steps, s)
		total += s.DelayMax
	}
	switch n := len(list); {
	case v.Get("steps") == nil, list != nil && n == 0:
		v.Refuse("steps", "", "holds no step", "begin with a pageview")
	case n > maxSteps:
		v.Refuse("steps", "", fmt.Sprintf("has %d steps, above %d", n, maxSteps), "split it into several funnels")
	}
	if total > maxLength {
		v.Refuse("steps", "", fmt.Sprintf("may last %.0f s in all, above %d", total, maxLength), "shorten the delays")
	}
	return f
}

func decodeStep(v *strictjson.Value) Step {
	s := Step{
		Type: StepType(v.Text("type")), URL: v.Text("url"), ActionName: v.Text("action_name"), Title: v.Text("title"),
		EventCategory: v.Text("event_category"), EventAction: v.Text("event_action"), EventName: v.Text("event_name"),
		EventValue:    v.Number("event_value"),
		SearchKeyword: v.Text("search_keyword"), SearchCategory: v.Text("search_category"),
		SearchResults: atLeast(v, "search_results", 0),
		TargetURL:     v.Text("target_url"),
		Revenue:       amount(v, "ecommerce_revenue"), Subtotal: amount(v, "ecommerce_subtotal"),
		Tax:      amount(v, "ecommerce_tax"),
		Shipping: amount(v, "ecommerce_shipping"), ItemsCount: atLeast(v, "ecommerce_items", 1),
		Currency: v.Text("ecommerce_currency"),
		DelayMin: delay(v, "delay_seconds_min"), DelayMax: delay(v, "delay_seconds_max"),
	}
	if s.DelayMin > s.DelayMax {
		v.Refuse("delay_seconds_min", fmt.Sprint(s.DelayMin), fmt.Sprintf("is above delay_seconds_max=%g", s.DelayMax),
			"lower it or raise the other")
	}
	length(v, "title", s.Title, 0, maxTitle)
	doubt(v, "title", s.Title, recorded.MaxText)
	doubt(v, "action_name", s.ActionName, recorded.MaxText)
	if s.URL != "" {
		address(v, "url", s.URL, false)
	}
	need := func(key, text string) {
		if strings.TrimSpace(text) == "" { // Matomo trims
			v.Refuse(key, "", "is missing or empty", "a step of type "+string(s.Type)+" needs it")
		}
	}
	switch s.Type {
	case Pageview:
		need("url", s.URL)
	case Event:
		s.Event().Check(v, "event_")
	case SiteSearch:
		need("search_keyword", s.SearchKeyword)
		if strings.TrimSpace(s.SearchKeyword) != "" && recorded.Empty(s.SearchKeyword) {
			v.Refuse("search_keyword", s.SearchKeyword, "is taken for none by Matomo, which records a pageview instead",
				"search for something else")
		} else {
			doubt(v, "search_keyword", s.SearchKeyword, recorded.MaxText)
		}
		doubt(v, "search_category", s.SearchCategory, recorded.MaxCategory)
	case Outlink, Download:
		need("target_url", s.TargetURL)
		if s.TargetURL != "" {
			address(v, "target_url", s.TargetURL, s.Type == Download)
		}
	case Ecommerce:
		sums(v, s)
	default:
		v.Refuse("type", string(s.Type), "is not a type of step",
			"use pageview, event, site_search, outlink, download or ecommerce")
	}
	return s
}

// sums checks an order of which every amount is given; where one is left out it is computed.
func sums(v *strictjson.Value, s Step) {
	switch {
	case s.Currency == "":
	case len(s.Currency) != 3:
		v.Refuse("ecommerce_currency", s.Currency, "is not a currency",
			"write three letters such as EUR or leave it out")
	default:
		v.Warn("ecommerce_currency", s.Currency, "has no effect", "the site in Matomo decides the currency")
	}
	if s.Revenue == nil || s.Subtotal == nil || s.Tax == nil || s.Shipping == nil {
		return
	}
	cents := func(amount *float64) float64 { return math.Round(*amount * 100) }
	if sum := cents(s.Subtotal) + cents(s.Tax) + cents(s.Shipping); sum != cents(s.Revenue) {
		v.Refuse("ecommerce_revenue", fmt.Sprint(*s.Revenue),
			fmt.Sprintf("is not subtotal + tax + shipping = %.2f", sum/100), "correct or leave out one of them")
	}
}

func delay(v *strictjson.Value, key string) float64 {
	n := v.Number(key)
	if n == nil {
		return 0
	}
	if *n < 0 || *n > MaxDelay {
		v.Refuse(key, fmt.Sprint(*n), fmt.Sprintf("is not between 0 and %d seconds", MaxDelay),
			"Matomo ends a visit after 30 minutes without an action")
	}
	return *n
}

func amount(v *strictjson.Value, key string) *float64 {
	n := v.Number(key)
	if n != nil && (*n < 0 || *n > 1e7) {
		v.Refuse(key, fmt.Sprint(*n), "is not between 0 and 10000000", "give an amount or leave it out")
	}
	return n
}

func atLeast(v *strictjson.Value, key string, least int) *int {
	n := v.Whole(key)
	if n != nil && *n < least {
		v.Refuse(key, fmt.Sprint(*n), fmt.Sprintf("is below %d", least), "raise it or leave it out")
	}
	return n
}

func length(v *strictjson.Value, key, text string, least, most int) {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		v.Refuse(key, "", "is missing or empty", "give it a text")
	case n > most:
		v.Refuse(key, text, fmt.Sprintf("has %d characters, above %d", n, most), "shorten it")
	}
}

// doubt warns of what Matomo makes of a text otherwise than it stands there; limit is in bytes.
func doubt(v *strictjson.Value, key, text string, limit int) {
	if message, cure := recorded.Doubt(text, limit); message != "" {
		v.Warn(key, text, message, cure)
	}
}

// address checks that raw is an http address; a relative one is good where it is resolved against the page.
func address(v *strictjson.Value, key, raw string, relative bool) {
	full := raw
	if relative && strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		full = "https://host" + raw
	}
	if fault := urllist.CheckAddress(full); fault != nil {
		v.Refuse(key, fault.Shown(raw), fault.Message, fault.Cure)
		return
	}
	doubt(v, key, raw, recorded.MaxText)
}
