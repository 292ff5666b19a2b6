package runsummary

import (
	"cmp"
	"slices"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// Reason is why hits of a target were not accepted, or what was odd about answers that accepted them.
type Reason struct {
	Target string `json:"target"`
	// Class is one of package answer's, or that of a hit that was not sent.
	Class string `json:"class"`
	// Status is the HTTP status, 0 where there was no answer.
	Status int `json:"status,omitempty"`
	// Hits is how many hits it concerns.
	Hits uint64 `json:"hits"`
	// Server is who answered in place of Matomo, as it calls itself.
	Server string `json:"server,omitempty"`
	// Excerpt are the first words of the first such answer or error, without tags, tokens and control characters.
	Excerpt string `json:"first_words,omitempty"`
}

// String says in a sentence what the hits met with.
func (r Reason) String() string {
	a := answer.Answer{Status: r.Status, Server: r.Server, Excerpt: r.Excerpt}
	if a.Class.UnmarshalText([]byte(r.Class)) != nil {
		return r.Class // of a later version
	}
	a.Malformed = a.Class.Outcome() == outcome.Accepted
	return a.String()
}

// SortReasons puts those with most hits first.
func SortReasons(all []Reason) {
	slices.SortFunc(all, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Class, b.Class),
			cmp.Compare(a.Status, b.Status))
	})
}

// addReasons are the reasons of two lives of a run.
func addReasons(earlier, later []Reason) []Reason {
	all := slices.Clone(earlier)
	for _, r := range later {
		same := slices.IndexFunc(all, func(o Reason) bool {
			return o.Target == r.Target && o.Class == r.Class && o.Status == r.Status
		})
		if same < 0 {
			all = append(all, r)
			continue
		}
		all[same].Hits += r.Hits
		all[same].Excerpt, all[same].Server = cmp.Or(all[same].Excerpt, r.Excerpt),
			cmp.Or(all[same].Server, r.Server)
	}
	SortReasons(all)
	return all
}
