// Package funnel owns funnels.json: paths that a share of the visitors follows, and what share each really gets. It
// knows neither how a step is sent nor where funnels are saved.
package funnel

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

// StepType is what happens in a step.
type StepType string

// The types of a step.
const (
	Pageview   StepType = "pageview"
	Event      StepType = "event"
	SiteSearch StepType = "site_search"
	Outlink    StepType = "outlink"
	Download   StepType = "download"
	Ecommerce  StepType = "ecommerce"
)

// Step is one thing a visitor does. Fields that its type does not use are empty.
type Step struct {
	Type StepType `json:"type"`
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

// Funnel is a path with the chance that a visit follows it.
type Funnel struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// Probability, 0..1, is tried when the visit has followed no funnel of a lower Priority.
	Probability float64 `json:"probability"`
	Priority    int     `json:"priority"`
	Enabled     bool    `json:"enabled"`
	// ExitAfterCompletion ends the visit after the last step; otherwise the visitor browses on.
	ExitAfterCompletion bool   `json:"exit_after_completion"`
	Steps               []Step `json:"steps"`
}

// Sorted are the funnels in the order in which they are tried: by priority, ties as given.
func Sorted(funnels []Funnel) []Funnel {
	out := slices.Clone(funnels)
	slices.SortStableFunc(out, func(a, b Funnel) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
}

// Shares are the real shares of all visits, 0..1, in the order of funnels: a funnel gets its probability of what the
// funnels tried before it leave. A disabled funnel gets 0.
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
