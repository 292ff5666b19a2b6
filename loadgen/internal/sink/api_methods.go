package sink

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// row is an entry of an answer.
type row = reports.Row

// administration are the calls that are no reports of visits.
var administration = map[string]struct {
	right  right
	answer func(*Sink, call) any
}{
	"API.isPluginActivated": {viewsSome, func(s *Sink, c call) any {
		return row{"value": !s.cfg.Tracker.inactive[c.params["pluginName"]]}
	}},
	"API.getMatomoVersion":                           {viewsSome, always(row{"value": version})},
	"Annotations.add":                                {viewsSite, (*Sink).annotate},
	"Annotations.getAll":                             {viewsSite, (*Sink).annotations},
	"CoreAdminHome.getTrackingFailures":              {superuser, (*Sink).trackingFailures},
	"CoreAdminHome.invalidateArchivedReports":        {superuser, always([]string{"Success."})},
	"CorePluginsAdmin.getSystemSettings":             {superuser, always([]row{})},
	"CustomDimensions.getConfiguredCustomDimensions": {viewsSite, customDimensions},
	"Goals.getGoals":                                 {viewsSite, always([]row{})},
	"SitesManager.getExcludedIpsGlobal":              {superuser, always(row{"value": ""})},
	"SitesManager.getExcludedQueryParametersGlobal":  {superuser, always(row{"value": ""})},
	"SitesManager.getExcludedUserAgentsGlobal":       {superuser, always(row{"value": ""})},
	"SitesManager.getSearchKeywordParametersGlobal": {superuser,
		always(row{"value": "q,query,s,search,searchword,k,keyword,keywords"})},
	"SitesManager.getSiteFromId":                   {viewsSite, func(s *Sink, c call) any { return s.site(c.site) }},
	"SitesManager.getSiteUrlsFromId":               {viewsSite, always([]string{mainURL})},
	"SitesManager.getSitesIdWithAdminAccess":       {viewsSome, (*Sink).administered},
	"SitesManager.getSitesIdWithAtLeastViewAccess": {viewsSome, (*Sink).viewed},
	"SitesManager.getSitesIdWithWriteAccess":       {viewsSome, (*Sink).written},
	"SitesManager.getSitesWithAtLeastViewAccess":   {viewsSome, (*Sink).sitesOf},
	"UserCountry.getLocationFromIP":                {viewsSome, always(row{"country_code": "xx"})},
	"UsersManager.hasSuperUserAccess": {viewsSome, func(s *Sink, c call) any {
		return row{"value": s.may(c, superuser)}
	}},
}

// mainURL is that of every site.
const mainURL = "https://shop.example.test"

// always is a call that is always answered alike.
func always(body any) func(*Sink, call) any { return func(*Sink, call) any { return body } }

// site is a website as its settings are told.
func (s *Sink) site(id int) row {
	t := s.cfg.Tracker
	return row{
		"idsite": id, "name": "Site " + strconv.Itoa(id), "main_url": mainURL, "ecommerce": 1,
		"sitesearch":                     digit(t.siteSearch),
		"ts_created":                     cmp.Or(t.set["site.ts_created"], "2020-01-01") + " 00:00:00",
		"sitesearch_keyword_parameters":  t.set["site.sitesearch_keyword_parameters"],
		"sitesearch_category_parameters": "",
		"timezone":                       s.cfg.Sites[id].Zone.String(), "currency": "SEK",
		"exclude_unknown_urls": digit(t.knownURLs),
		"excluded_ips":         t.set["site.excluded_ips"], "excluded_parameters": t.set["site.excluded_parameters"],
		"excluded_user_agents": t.set["site.excluded_user_agents"],
		"excluded_referrers":   t.set["site.excluded_referrers"],
		"group":                "", "type": "website", "keep_url_fragment": 0,
	}
}

func digit(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (s *Sink) sitesOf(c call) any {
	rows := []row{}
	for _, id := range slices.Sorted(maps.Keys(s.cfg.Sites)) {
		if s.may(call{token: c.token, site: id}, viewsSite) {
			rows = append(rows, s.site(id))
		}
	}
	return rows
}

// administered are the sites that the token's user administers: all, where it is a superuser's.
func (s *Sink) administered(c call) any {
	if !s.may(c, superuser) {
		return []int{}
	}
	return slices.Sorted(maps.Keys(s.cfg.Sites))
}

// written are the sites with write access and no more, as Matomo lists them.
func (s *Sink) written(c call) any {
	if s.may(c, superuser) {
		return []int{}
	}
	return slices.Sorted(slices.Values(s.cfg.Tokens[c.token]))
}

func (s *Sink) viewed(c call) any {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.cfg.Sites)), func(id int) bool {
		return !s.may(call{token: c.token, site: id}, viewsSite)
	})
}

// customDimensions are five, of visits, on every site.
func customDimensions(_ *Sink, c call) any {
	rows := []row{}
	for n := 1; n <= 5; n++ {
		id := strconv.Itoa(n)
		rows = append(rows, row{
			"idcustomdimension": id, "idsite": strconv.Itoa(c.site), "name": "Dimension " + id, "index": id,
			"scope": "visit", "active": true, "extractions": []row{}, "case_sensitive": true,
		})
	}
	return rows
}

func (s *Sink) trackingFailures(call) any {
	rows := []row{}
	for key, first := range s.failures {
		rows = append(rows, row{"idsite": key.site, "idfailure": 1,
			"date_first_occurred": first.UTC().Format(time.DateTime), "problem": key.problem})
	}
	return rows
}

// annotation is a note in a site's graph.
type annotation struct {
	site       int
	date, text string
}

func (a annotation) row(id int) row {
	return row{"date": a.date, "note": a.text, "starred": 0, "user": "sink", "idNote": id, "canEditOrDelete": true}
}

func (s *Sink) annotate(c call) any {
	s.notes = append(s.notes, annotation{c.site, c.params["date"], c.params["note"]})
	n := len(s.notes)
	return s.notes[n-1].row(n - 1)
}

func (s *Sink) annotations(c call) any {
	rows := []row{}
	for id, a := range s.notes {
		if a.site == c.site {
			rows = append(rows, a.row(id))
		}
	}
	return map[string][]row{strconv.Itoa(c.site): rows}
}
