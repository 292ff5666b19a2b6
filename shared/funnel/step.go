package funnel

import (
	"fmt"
	"math"
	"strings"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

// The types of a step: what happens in it, by the rows of package hit.
const (
	Pageview   = "pageview"
	Event      = "event"
	SiteSearch = "site_search"
	Outlink    = "outlink"
	Download   = "download"
	Ecommerce  = "ecommerce"
)

// Types are all of them.
var Types = []string{Pageview, Event, SiteSearch, Outlink, Download, Ecommerce}

// Step is one thing a visitor does. Fields that its type does not use are empty.
type Step struct {
	Type string `json:"type"`
	// URL is the page; elsewhere than on a pageview it may be empty for the page before. ActionName and Title are its
	// title, of which Title goes first.
	URL        string `json:"url"`
	ActionName string `json:"action_name"`
	Title      string `json:"title"`

	EventCategory string   `json:"event_category"`
	EventAction   string   `json:"event_action"`
	EventName     string   `json:"event_name"`
	EventValue    *float64 `json:"event_value"`

	SearchKeyword  string `json:"search_keyword"`
	SearchCategory string `json:"search_category"`
	// SearchResults is drawn where it is nil.
	SearchResults *int `json:"search_results"`

	// TargetURL is the address of an outlink or a download.
	TargetURL string `json:"target_url"`

	// What of an order is fixed; the rest is drawn. Currency has no effect: Matomo's site decides it.
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

// Event is that of a step of type Event.
func (s *Step) Event() eventset.Event {
	return eventset.Event{Category: s.EventCategory, Action: s.EventAction, Name: s.EventName, Value: s.EventValue}
}

var stepKeys = []string{
	"type", "url", "action_name", "title", "event_category", "event_action", "event_name", "event_value",
	"search_keyword", "search_category", "search_results", "target_url", "ecommerce_revenue", "ecommerce_items",
	"ecommerce_subtotal", "ecommerce_tax", "ecommerce_shipping", "ecommerce_currency", "delay_seconds_min",
	"delay_seconds_max",
}

func decodeStep(v *strictjson.Value) Step {
	s := Step{
		Type:           v.String("type"),
		URL:            v.String("url"),
		ActionName:     v.String("action_name"),
		Title:          v.String("title"),
		EventCategory:  v.String("event_category"),
		EventAction:    v.String("event_action"),
		EventName:      v.String("event_name"),
		EventValue:     v.Number("event_value"),
		SearchKeyword:  v.String("search_keyword"),
		SearchCategory: v.String("search_category"),
		SearchResults:  atLeast(v, "search_results", 0),
		TargetURL:      v.String("target_url"),
		Revenue:        amount(v, "ecommerce_revenue"),
		Subtotal:       amount(v, "ecommerce_subtotal"),
		Tax:            amount(v, "ecommerce_tax"),
		Shipping:       amount(v, "ecommerce_shipping"),
		ItemsCount:     atLeast(v, "ecommerce_items", 1),
		Currency:       v.String("ecommerce_currency"),
		DelayMin:       delay(v, "delay_seconds_min"),
		DelayMax:       delay(v, "delay_seconds_max"),
	}
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
	return s
}

// sums checks an order of which every amount is given; where one is left out it is computed.
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

func amount(v *strictjson.Value, key string) *float64 {
	n := v.Number(key)
	if n != nil && (*n < 0 || *n > 1e7) {
		v.Refuse(key, fmt.Sprint(*n), "is not between 0 and 10000000", "use an amount in that range, or remove it")
	}
	return n
}
