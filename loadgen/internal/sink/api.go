package sink

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// version is the imitated version of Matomo's Reporting API. Its errors have their own HTTP status.
const version = "5.7.0"

// call is one call of the Reporting API.
type call struct {
	params map[string]string
	urls   []string // of API.getBulkRequest
	token  string
	site   int
}

type answer struct {
	status int
	body   any
}

func refusal(status int, format string, args ...any) answer {
	return answer{status, map[string]string{"result": "error", "message": fmt.Sprintf(format, args...)}}
}

// serveReporting imitates index.php?module=API. It accepts parameters in the body and in the URL.
func (s *Sink) serveReporting(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "unreadable request", http.StatusBadRequest)
		return
	}
	c := parseCall(r.URL.RawQuery, string(body))
	if c.params["module"] != "API" {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	a := s.call(c)
	s.mu.Unlock()
	answerJSON(w, a.status, a.body)
}

// parseCall merges forms; the first takes precedence.
func parseCall(forms ...string) call {
	c := call{params: map[string]string{}}
	for _, form := range slices.Backward(forms) {
		values, _ := url.ParseQuery(form) // invalid parts are ignored
		for name, all := range values {
			if strings.HasPrefix(name, "urls[") {
				c.urls = append(c.urls, all...)
				continue
			}
			c.params[name] = all[len(all)-1]
		}
	}
	c.token = c.params["token_auth"]
	c.site, _ = strconv.Atoi(c.params["idSite"]) // 0 is unknown
	return c
}

// call executes a call. The caller holds the lock.
func (s *Sink) call(c call) answer {
	method := c.params["method"]
	m, known := administration[method]
	switch {
	case method == "API.getBulkRequest":
		return s.callMany(c)
	case !known && !reports.Exists(method):
		return refusal(http.StatusBadRequest, "The method '%s' does not exist or is not available.", method)
	case !known:
		m.right = viewSite
	}
	if !s.may(c, m.right) {
		return refusal(http.StatusUnauthorized, "You can't access this resource as it requires '%s' access.", m.right)
	}
	if known {
		return answer{http.StatusOK, m.answer(s, c)}
	}
	body, err := s.log.Answer(method,
		reports.Query{Site: c.site, Now: s.now(), Zone: s.cfg.Sites[c.site].Zone, Params: c.params})
	if err != nil {
		return refusal(http.StatusBadRequest, "%v", err)
	}
	return answer{http.StatusOK, body}
}

// callMany executes API.getBulkRequest: calls with a common token.
func (s *Sink) callMany(c call) answer {
	all := []any{}
	for _, query := range c.urls {
		one := parseCall(strings.TrimPrefix(query, "?"))
		one.token = c.token
		if one.params["method"] == "API.getBulkRequest" {
			return refusal(http.StatusBadRequest, "a bulk request must not contain another")
		}
		all = append(all, s.call(one).body)
	}
	return answer{http.StatusOK, all}
}

type right string

const (
	viewAny   right = "some view"
	viewSite  right = "view"
	superuser right = "superuser"
)

func (s *Sink) may(c call, need right) bool {
	if c.token == "" {
		return false
	}
	write := s.cfg.Tokens[c.token]
	view := append(slices.Clone(write), s.cfg.Viewers[c.token]...)
	switch need {
	case viewAny:
		return len(view) > 0
	case viewSite:
		_, exists := s.cfg.Sites[c.site]
		return exists && slices.Contains(view, c.site)
	default:
		for id := range s.cfg.Sites {
			if !slices.Contains(write, id) {
				return false
			}
		}
		return true
	}
}

// failureKey is a kind of tracking failure (core/Tracker/Failures.php).
type failureKey struct {
	site    int
	problem string
}

// fail records a tracking failure for an invalid token or an unknown site, like Matomo.
func (s *Sink) fail(h *hit, reason string, now time.Time) {
	if !strings.HasSuffix(reason, "without a valid token") && reason != "unknown site" {
		return
	}
	if key := (failureKey{h.key.site, reason}); s.failures[key].IsZero() && len(s.failures) < maxViolations {
		s.failures[key] = now
	}
}

type row = reports.Row

// administration are the methods other than reports.
var administration = map[string]struct {
	right  right
	answer func(*Sink, call) any
}{
	"API.isPluginActivated": {viewAny, func(s *Sink, c call) any {
		return row{"value": !s.cfg.Tracker.inactive[c.params["pluginName"]]}
	}},
	"API.getMatomoVersion":                           {viewAny, always(row{"value": version})},
	"Annotations.add":                                {viewSite, (*Sink).annotate},
	"Annotations.getAll":                             {viewSite, (*Sink).annotations},
	"CoreAdminHome.getTrackingFailures":              {superuser, (*Sink).trackingFailures},
	"CoreAdminHome.invalidateArchivedReports":        {superuser, always([]string{"Success."})},
	"CorePluginsAdmin.getSystemSettings":             {superuser, always([]row{})},
	"CustomDimensions.getConfiguredCustomDimensions": {viewSite, customDimensions},
	"Goals.getGoals":                                 {viewSite, always([]row{})},
	"SitesManager.getExcludedIpsGlobal":              {superuser, always(row{"value": ""})},
	"SitesManager.getExcludedQueryParametersGlobal":  {superuser, always(row{"value": ""})},
	"SitesManager.getExcludedUserAgentsGlobal":       {superuser, always(row{"value": ""})},
	"SitesManager.getSearchKeywordParametersGlobal": {superuser,
		always(row{"value": "q,query,s,search,searchword,k,keyword,keywords"})},
	"SitesManager.getSiteFromId":                   {viewSite, func(s *Sink, c call) any { return s.site(c.site) }},
	"SitesManager.getSiteUrlsFromId":               {viewSite, always([]string{mainURL})},
	"SitesManager.getSitesIdWithAdminAccess":       {viewAny, (*Sink).administered},
	"SitesManager.getSitesIdWithAtLeastViewAccess": {viewAny, func(s *Sink, c call) any { return s.viewed(c) }},
	"SitesManager.getSitesIdWithWriteAccess":       {viewAny, (*Sink).written},
	"SitesManager.getSitesWithAtLeastViewAccess":   {viewAny, (*Sink).sitesOf},
	"UserCountry.getLocationFromIP":                {viewAny, always(row{"country_code": "xx"})},
	"UsersManager.hasSuperUserAccess": {viewAny, func(s *Sink, c call) any {
		return row{"value": s.may(c, superuser)}
	}},
}

const mainURL = "https://shop.example.test"

// always returns a method with a constant answer.
func always(body any) func(*Sink, call) any { return func(*Sink, call) any { return body } }

func (s *Sink) site(id int) row {
	t := s.cfg.Tracker
	return row{
		"idsite": id, "name": "Site " + strconv.Itoa(id), "main_url": mainURL, "ecommerce": 1,
		"sitesearch":                     toBit(t.siteSearch),
		"ts_created":                     cmp.Or(t.set["site.ts_created"], "2020-01-01") + " 00:00:00",
		"sitesearch_keyword_parameters":  t.set["site.sitesearch_keyword_parameters"],
		"sitesearch_category_parameters": "",
		"timezone":                       s.cfg.Sites[id].Zone.String(), "currency": "SEK",
		"exclude_unknown_urls": toBit(t.knownURLs),
		"excluded_ips":         t.set["site.excluded_ips"], "excluded_parameters": t.set["site.excluded_parameters"],
		"excluded_user_agents": t.set["site.excluded_user_agents"],
		"excluded_referrers":   t.set["site.excluded_referrers"],
		"group":                "", "type": "website", "keep_url_fragment": 0,
	}
}

func toBit(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (s *Sink) sitesOf(c call) any {
	rows := []row{}
	for _, id := range s.viewed(c) {
		rows = append(rows, s.site(id))
	}
	return rows
}

// administered returns all sites for a superuser.
func (s *Sink) administered(c call) any {
	if !s.may(c, superuser) {
		return []int{}
	}
	return slices.Sorted(maps.Keys(s.cfg.Sites))
}

// written returns the sites with write access but no admin access, like Matomo.
func (s *Sink) written(c call) any {
	if s.may(c, superuser) {
		return []int{}
	}
	return slices.Sorted(slices.Values(s.cfg.Tokens[c.token]))
}

func (s *Sink) viewed(c call) []int {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.cfg.Sites)), func(id int) bool {
		return !s.may(call{token: c.token, site: id}, viewSite)
	})
}

// customDimensions returns five of scope visit for every site.
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

func (s *Sink) annotate(c call) any {
	note := row{"date": c.params["date"], "note": c.params["note"], "starred": 0, "user": "sink",
		"idNote": s.noteCount, "canEditOrDelete": true}
	s.noteCount++
	s.notes[c.site] = append(s.notes[c.site], note)
	return note
}

func (s *Sink) annotations(c call) any {
	return map[string][]row{strconv.Itoa(c.site): append([]row{}, s.notes[c.site]...)}
}
