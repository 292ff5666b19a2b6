package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// Site is one site of one Matomo that a run sent to. Several targets of a run may have the same site: Matomo cannot
// distinguish their visits, so they are compared together.
type Site struct {
	// Target is used for queries; its name is that of the run's target, or of all of them.
	target.Target
	// Parts are the names of the targets, in order.
	Parts []string
	// Error is why the site cannot be queried.
	Error string
	// Note describes an unusual way of querying it.
	Note string
}

// siteKey identifies a site independently of the names of targets and of their trackers: targets with the same API are
// nodes of one Matomo.
func siteKey(t target.Target) string { return fmt.Sprintf("%s %d", cmp.Or(t.API(), t.URL), t.SiteID) }

// zoneOf returns the time zone of a site, or other if it is not known.
func zoneOf(ctx context.Context, m Matomo, t target.Target, other *time.Location) *time.Location {
	if site, err := m.Site(ctx, t); err == nil {
		if zone, err := site.Zone(); err == nil {
			return zone.Location()
		}
	}
	return other
}

// errNotSaved is the error of a site that cannot be queried.
const errNotSaved = "no saved target has this address; save one with a token that can view the site"

// sitesOf returns the sites that a run sent to, by name. readers are the saved targets.
func sitesOf(run map[string]runsummary.Target, readers []target.Target) []Site {
	sites := map[string]Site{}
	for _, name := range slices.Sorted(maps.Keys(run)) {
		t := run[name]
		s := siteOf(target.Target{URL: t.URL, SiteID: t.SiteID, Access: target.Access{APIURL: t.APIURL}}, readers)
		key := siteKey(s.Target)
		if other, found := sites[key]; found {
			s = other
			s.Name += " + " + name
		} else {
			s.Name = name
		}
		s.Parts = append(s.Parts, name)
		sites[key] = s
	}
	return slices.SortedFunc(maps.Values(sites), func(a, b Site) int { return cmp.Compare(a.Name, b.Name) })
}

// siteOf finds a saved target to query: one of the site; one of the same tracker, whose API address has changed
// since; or one of another site of the same Matomo, whose token may be valid for both.
func siteOf(sent target.Target, readers []target.Target) Site {
	find := func(same func(target.Target) bool) (target.Target, bool) {
		at := slices.IndexFunc(readers, func(t target.Target) bool { return same(t) && t.APIToken() != "" })
		if at < 0 {
			at = slices.IndexFunc(readers, same)
		}
		if at < 0 {
			return sent, false
		}
		return readers[at], true
	}
	if t, ok := find(func(t target.Target) bool { return siteKey(t) == siteKey(sent) }); ok {
		return Site{Target: t}
	}
	if t, ok := find(func(t target.Target) bool { return t.URL == sent.URL && t.SiteID == sent.SiteID }); ok {
		return Site{Target: t}
	}
	t, ok := find(func(t target.Target) bool { return t.API() == sent.API() || t.URL == sent.URL })
	if !ok {
		return Site{Target: sent, Error: errNotSaved}
	}
	note := fmt.Sprintf("The run sent to site %d, but the saved target with that address is for site %d; its token "+
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
