package matomo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

const good = secret.String("a-good-token")

// fake is a Matomo as far as the doctor asks: statuses and bodies as 5.2.0 gives them.
type fake struct {
	mu       sync.Mutex
	requests []string // path and form
	site     string
	status   int  // of every hit, 0 for what Matomo would say
	inForms  bool // the token is a superuser's for secure requests only
	off      bool // tracking is (record_statistics=0)
	bulkOff  bool // as after too many wrong tokens
	date     time.Time
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
		w.WriteHeader(f.status)
	case r.URL.Path == "/sub/matomo.php" && (r.PostForm.Get("idsite") != "1" || r.PostForm.Has("cip") && token != string(good)):
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Path == "/sub/matomo.php" && r.PostForm.Get("send_image") == "0":
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/sub/matomo.php":
		if f.off {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte("GIF89a"))
	case r.PostForm.Get("method") == "API.getMatomoVersion":
		_, _ = w.Write([]byte(`{"value":"5.2.0"}`))
	case r.PostForm.Get("method") == "SitesManager.getSiteFromId":
		_, _ = w.Write([]byte(f.site))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// bulk answers as Matomo does to one hit: the token is told in the receipt, never in the status.
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

const shop = `{"idsite":1,"name":"Shop","main_url":"https://shop.example.test","ecommerce":1,"sitesearch":"1","timezone":"Europe/Berlin","currency":"EUR","exclude_unknown_urls":0}`

func examine(t *testing.T, f *fake, change func(*target.Target)) matomo.Diagnosis {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	to := target.Target{Name: "t", URL: srv.URL + "/sub/matomo.php", SiteID: 1, Token: good}
	if change != nil {
		change(&to)
	}
	return matomo.NewClient(10*time.Second).Examine(context.Background(), to)
}

// told is the verdict of a check and its message with the cure.
func told(d matomo.Diagnosis, check string) (matomo.Verdict, string) {
	for _, f := range d.Findings {
		if f.Check == check {
			return f.Verdict, f.Message + "; " + f.Cure
		}
	}
	return "", ""
}

func TestAGoodTargetIsDescribed(t *testing.T) {
	t.Parallel()
	f := &fake{site: shop}
	d := examine(t, f, nil)
	if !d.Works || d.Version != "5.2.0" || d.Status != 200 {
		t.Errorf("%+v", d)
	}
	if s := d.Site; s == nil || s.Name != "Shop" || s.Timezone != "Europe/Berlin" || s.Currency != "EUR" || !s.SiteSearch || !s.Ecommerce {
		t.Errorf("%+v", d.Site)
	}
	for _, r := range f.requests {
		method, rest, _ := strings.Cut(r, " ")
		address, form, _ := strings.Cut(rest, " ")
		if method != "POST" || strings.Contains(address, "?") {
			t.Errorf("%s %s: a token may go in a body alone", method, address)
		}
		if values, _ := url.ParseQuery(form); strings.HasSuffix(address, "matomo.php") && values.Get("ping") != "1" {
			t.Errorf("%s would be recorded", form)
		}
	}
}

func TestEachFailureHasItsCure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fake    *fake
		change  func(*target.Target)
		check   string
		verdict matomo.Verdict
		want    string
		works   bool
	}{
		{"an address without a tracker", &fake{}, func(t *target.Target) { t.URL = "https://x.example.test/" }, "address", matomo.Bad, "matomo.php", false},
		{"nobody there", &fake{}, func(t *target.Target) { t.URL = "http://127.0.0.1:1/matomo.php" }, "tracker", matomo.Bad, "start Matomo", false},
		{"a cloud's own address", &fake{}, func(t *target.Target) { t.URL = "http://169.254.169.254/matomo.php" }, "tracker", matomo.Bad, "link-local", false},
		{"it again as IPv6", &fake{}, func(t *target.Target) { t.URL = "http://[::ffff:169.254.169.254]/matomo.php" }, "tracker", matomo.Bad, "link-local", false},
		{"a redirect", &fake{status: 301}, nil, "tracker", matomo.Bad, "redirect", false},
		{"a page of something else", &fake{status: 200}, nil, "tracker", matomo.Bad, "no answer of Matomo", false},
		{"a wrong path", &fake{status: 404}, nil, "tracker", matomo.Bad, "path", false},
		{"a closed door", &fake{status: 403}, nil, "tracker", matomo.Bad, "closed", false},
		{"a broken server", &fake{status: 500}, nil, "tracker", matomo.Bad, "log", false},
		{"tracking is off", &fake{off: true}, nil, "tracker", matomo.Bad, "record_statistics", false},
		{"an unknown site", &fake{}, func(t *target.Target) { t.SiteID = 9 }, "tracker", matomo.Bad, "site exists", false},
		{"no token", &fake{}, func(t *target.Target) { t.Token = "" }, "token", matomo.Doubtful, "write access", true},
		{"a wrong token", &fake{}, func(t *target.Target) { t.Token = "wrong" }, "token", matomo.Bad, "write access", false},
		{"a token for secure requests only", &fake{site: shop, inForms: true}, nil, "bulk", matomo.Doubtful, "SEND_MODE=bulk", true},
		{"a sender that is locked out", &fake{site: shop, bulkOff: true}, nil, "bulk", matomo.Doubtful, "wrong tokens", true},
		{"a token for all requests", &fake{site: shop}, nil, "bulk", "", "", true},
		{"a token that may not read", &fake{site: `{"result":"error","message":"no"}`}, nil, "site", matomo.Doubtful, "view access", true},
		{"site search off", &fake{site: strings.Replace(shop, `"1"`, "0", 1)}, nil, "search", matomo.Doubtful, "SITESEARCH_PROBABILITY", true},
		{"ecommerce off", &fake{site: strings.Replace(shop, `"ecommerce":1`, `"ecommerce":0`, 1)}, nil, "ecommerce", matomo.Doubtful, "ECOMMERCE_PROBABILITY", true},
		{"only known URLs", &fake{site: strings.Replace(shop, `urls":0`, `urls":1`, 1)}, nil, "urls", matomo.Doubtful, "https://shop.example.test", true},
		{"a clock far behind", &fake{site: shop, date: time.Now().Add(-time.Hour)}, nil, "clock", matomo.Doubtful, "NTP", true},
	} {
		d := examine(t, c.fake, c.change)
		verdict, text := told(d, c.check)
		if verdict != c.verdict || !strings.Contains(text, c.want) || d.Works != c.works {
			t.Errorf("%s: works %t, %s %q; want %t, %s with %q in it", c.name, d.Works, verdict, text, c.works, c.verdict, c.want)
		}
	}
}

func TestNothingOfTheOtherSideIsRepeated(t *testing.T) {
	t.Parallel()
	d := examine(t, &fake{site: "<h1>inner secrets</h1>"}, nil)
	for _, f := range d.Findings {
		if strings.Contains(f.Message+f.Cure, "inner") || strings.Contains(f.Message+f.Cure, string(good)) {
			t.Errorf("%+v", f)
		}
	}
}
