package doctor_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

const good = secret.String("a-good-token")

// fake is a Matomo as far as the doctor asks: statuses and bodies as 5.2.0 gives them.
type fake struct {
	mu       sync.Mutex
	requests []string // path and form
	site     string
	answers  map[string]string // of the Reporting API, in place of those of a rightly set-up Matomo
	status   int               // of every hit, 0 for what Matomo would say
	page     string            // with that status
	apiGate  int               // status of every question to the Reporting API, 0 for what Matomo would say
	inForms  bool              // the token is a superuser's for secure requests only
	off      bool              // tracking is (record_statistics=0)
	bulkOff  bool              // as after too many wrong tokens
	queue    bool              // takes bulk requests, and answers with an image
	date     time.Time
}

// refused is the answer to a token whose user lacks a right; before 5.7 its status is 200.
const refused = `{"result":"error","message":"You can't access this resource as it requires more."}`

// content are the answers of a Matomo that is set up rightly, to a superuser's token.
var content = map[string]string{
	"API.getMatomoVersion":                           `{"value":"5.2.0"}`,
	"UsersManager.hasSuperUserAccess":                `{"value":true}`,
	"API.isPluginActivated":                          `{"value":true}`,
	"SitesManager.getSitesIdWithAdminAccess":         `[1,2]`,
	"SitesManager.getSitesIdWithWriteAccess":         `[]`,
	"SitesManager.getSitesIdWithAtLeastViewAccess":   `[1,2]`,
	"SitesManager.getSiteUrlsFromId":                 `["https://shop.example.test","http://other.example.test/en"]`,
	"SitesManager.getExcludedIpsGlobal":              `{"value":false}`,
	"SitesManager.getExcludedUserAgentsGlobal":       `{"value":""}`,
	"SitesManager.getExcludedQueryParametersGlobal":  `{"value":false}`,
	"SitesManager.getSearchKeywordParametersGlobal":  `{"value":"q,query,s"}`,
	"Goals.getGoals":                                 `[]`,
	"CustomDimensions.getConfiguredCustomDimensions": `[{"idcustomdimension":"3","scope":"visit","active":true}]`,
	"CorePluginsAdmin.getSystemSettings":             `[{"pluginName":"Live","settings":[{"name":"disable_visitor_log","value":false}]}]`,
	"Live.getLastVisitsDetails":                      `[{"visitIp":"86.159.0.0"},{"visitIp":"90.224.0.0"},{"visitIp":"10.1.0.0"}]`,
	"VisitsSummary.getVisits":                        `{"value":12}`,
	"UserCountry.getLocationFromIP":                  `{"country_code":"se"}`,
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") == "application/json" {
		f.bulk(w, r)
		return
	}
	_ = r.ParseForm()
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.String()+" "+r.PostForm.Encode())
	f.mu.Unlock()
	token := r.PostForm.Get("token_auth")
	if !f.date.IsZero() {
		w.Header().Set("Date", f.date.UTC().Format(http.TimeFormat))
	}
	switch {
	case r.URL.Path == "/sub/matomo.php" && f.status != 0:
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Server", "gate")
		w.WriteHeader(f.status)
		_, _ = io.WriteString(w, f.page)
	case r.URL.Path == "/sub/matomo.php" &&
		(r.PostForm.Get("idsite") != "1" || r.PostForm.Has("cip") && token != string(good)):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "GIF89aThis resource is part of Matomo. Keep full control of your data.<br>\n")
	case r.URL.Path == "/sub/matomo.php" && r.PostForm.Get("send_image") == "0":
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/sub/matomo.php":
		if f.off {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte("GIF89a"))
	case r.URL.Path == "/sub/index.php" && f.apiGate != 0:
		w.WriteHeader(f.apiGate)
		_, _ = io.WriteString(w, "<h1>Forbidden by policy</h1>")
	case r.URL.Path == "/sub/index.php":
		method := r.PostForm.Get("method")
		answer, ok := f.answers[method]
		switch {
		case ok:
		case method == "SitesManager.getSiteFromId":
			answer = f.site
		default:
			answer = content[method]
		}
		_, _ = w.Write([]byte(answer))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// bulk answers as Matomo does to one hit: the receipt reports a bad token, not the status.
func (f *fake) bulk(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Requests []string
		Token    string `json:"token_auth"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	hit := strings.TrimPrefix(strings.Join(body.Requests, " and "), "?")
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.String()+" "+hit)
	f.mu.Unlock()
	if f.queue {
		_, _ = io.WriteString(w, "GIF89a")
		return
	}
	if f.bulkOff {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"status":"error","tracked":0,"invalid":0}`))
		return
	}
	receipt := `{"status":"success","tracked":1,"invalid":0}`
	if f.inForms || body.Token != string(good) {
		receipt = `{"status":"success","tracked":0,"invalid":1}`
	}
	_, _ = w.Write([]byte(receipt))
}

const shop = `{"idsite":1,"name":"Shop","main_url":"https://shop.example.test","ecommerce":1,"sitesearch":"1","timezone":"Europe/Berlin","currency":"EUR","exclude_unknown_urls":0,"ts_created":"2020-01-01 00:00:00"}`

func examine(t *testing.T, f *fake, change func(*target.Target), expect ...doctor.Expectation) doctor.Diagnosis {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	to := target.Target{Name: "t", URL: srv.URL + "/sub/matomo.php", SiteID: 1, Token: good}
	if change != nil {
		change(&to)
	}
	e := doctor.Expectation{Sends: [hit.Kinds]bool{hit.Search: true, hit.Order: true}}
	if len(expect) > 0 {
		e = expect[0]
	}
	return doctor.New(time.Minute, target.Environment{}).Diagnose(context.Background(), to, e)
}

// reported returns the verdict of a check and its message with the cure.
func reported(d doctor.Diagnosis, check string) (doctor.Verdict, string) {
	for _, f := range d.Findings {
		if f.Check == check {
			return f.Verdict, f.Message + "; " + f.Cure + "; " + f.Right
		}
	}
	return "", ""
}
