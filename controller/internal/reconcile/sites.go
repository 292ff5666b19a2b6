package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// Site is one site of one Matomo that a run sent to. Several targets of a run may lead to it: Matomo cannot tell their
// visits apart, so that they are compared as one.
type Site struct {
	// Target is how it is asked, with a token to read with; its name is that of the target of the run, or of all of
	// them.
	target.Target
	// Parts are the names of the targets, in order.
	Parts []string
	// Error is why it cannot be asked.
	Error string
	// Note is what is odd about how it is asked.
	Note string
}

// place tells the sites apart whatever targets and their trackers are called: those with one API are nodes of one
// Matomo.
func place(t target.Target) string { return fmt.Sprintf("%s %d", cmp.Or(t.API(), t.URL), t.SiteID) }

// sentTarget is the target that a run sent to, as its ledger names it.
func sentTarget(t runsummary.Target) target.Target {
	return target.Target{URL: t.URL, SiteID: t.SiteID, Access: target.Access{APIURL: t.APIURL}}
}

// errNotSaved is the error of a site that the run sent to and that nobody can ask.
const errNotSaved = "no saved target has its address; save one with a token that may view the site"

// sitesOf are the sites that a run sent to, in the order of their names. readers are the saved targets.
func sitesOf(run map[string]runsummary.Target, readers []target.Target) []Site {
	sites := map[string]Site{}
	for _, name := range slices.Sorted(maps.Keys(run)) {
		s := siteOf(sentTarget(run[name]), readers)
		at := place(s.Target)
		if others, there := sites[at]; there {
			others.Name += " + " + name
			others.Parts = append(others.Parts, name)
			sites[at] = others
			continue
		}
		s.Name, s.Parts = name, []string{name}
		sites[at] = s
	}
	return slices.SortedFunc(maps.Values(sites), func(a, b Site) int { return cmp.Compare(a.Name, b.Name) })
}

// siteOf finds who can be asked: a saved target of the site, one of the same tracker, whose API has another address
// since, else one of another site of the same Matomo, whose token may be good for both.
func siteOf(sent target.Target, readers []target.Target) Site {
	of := func(same func(target.Target) bool) (target.Target, bool) {
		at := slices.IndexFunc(readers, func(t target.Target) bool { return same(t) && t.APIToken() != "" })
		if at < 0 {
			at = slices.IndexFunc(readers, same)
		}
		if at < 0 {
			return sent, false
		}
		return readers[at], true
	}
	if t, ok := of(func(t target.Target) bool { return place(t) == place(sent) }); ok {
		return Site{Target: t}
	}
	if t, ok := of(func(t target.Target) bool { return t.URL == sent.URL && t.SiteID == sent.SiteID }); ok {
		return Site{Target: t}
	}
	t, ok := of(func(t target.Target) bool { return t.API() == sent.API() || t.URL == sent.URL })
	if !ok {
		return Site{Target: sent, Error: errNotSaved}
	}
	note := fmt.Sprintf("The run sent to site %d, and the saved target of that address is now for site %d; its token "+
		"was used", sent.SiteID, t.SiteID)
	t.SiteID = sent.SiteID
	return Site{Target: t, Note: note}
}

// sentTo adds up what a run sent to a site.
func sentTo(s runsummary.Summary, site Site) (all runsummary.Target, parts []comparison.ReconciledPart) {
	for i, name := range site.Parts {
		t := s.Targets[name]
		part := comparison.ReconciledPart{Name: name, Visits: t.Visits.Complete + t.Visits.Partial}
		for _, h := range t.ByKind {
			part.Hits += h.Accepted
		}
		parts = append(parts, part)
		if i == 0 {
			all = t
			continue
		}
		all = all.Merge(t)
	}
	if len(parts) == 1 {
		parts = nil
	}
	return all, parts
}
