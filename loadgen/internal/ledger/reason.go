package ledger

import (
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// reasonKey is what hits were not accepted for.
type reasonKey struct {
	class  answer.Class
	status int
}

// reasonCount is how many hits a cause cost, and what the first answer said that said something.
type reasonCount struct {
	hits          uint64
	words, server string
}

// addReason books that n hits ended for a cause, or with an answer that was odd.
func (l *Ledger) addReason(target int, class answer.Class, a *answer.Answer, n uint64) {
	c := reasonKey{class, a.Status}
	e := l.reasons[target][c]
	if e == nil {
		e = &reasonCount{}
		l.reasons[target][c] = e
	}
	e.hits += n
	if e.words == "" {
		e.words = a.Excerpt
	}
	if e.server == "" {
		e.server = a.Server
	}
}

// Reason is how many hits of a target ended for one cause.
type Reason struct {
	Target int
	// Answer has the class, the status and the words.
	Answer answer.Answer
	Hits   uint64
}

func (l *Ledger) reasonList() (all []Reason) {
	for t := range l.reasons {
		for c, e := range l.reasons[t] {
			if e.hits > 0 {
				all = append(all,
					Reason{t, answer.Answer{Class: c.class, Status: c.status, Server: e.server, Excerpt: e.words},
						e.hits})
			}
		}
	}
	return all
}

// fillReasons writes reasons into s; names are those of the targets.
func fillReasons(s *runsummary.Summary, all []Reason, names []string) {
	for _, r := range all {
		a := r.Answer
		said := runsummary.Reason{Target: names[r.Target], Class: a.Class.String(), Status: a.Status, Hits: r.Hits,
			Server: a.Server, Excerpt: a.Excerpt}
		if a.Class.Outcome() == outcome.Accepted {
			s.Warnings = append(s.Warnings, said)
		} else {
			s.Reasons = append(s.Reasons, said)
		}
	}
	runsummary.SortReasons(s.Reasons)
	runsummary.SortReasons(s.Warnings)
}
