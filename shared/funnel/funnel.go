// Package funnel owns funnels.json: paths that a share of the visitors follows, and what share each really gets. It
// knows neither how a step is sent nor where funnels are saved.
package funnel

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/puttrix/trafficinator/shared/strictjson"
)

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
