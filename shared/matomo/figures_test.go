package matomo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

const good = "a-good-token"

// reports answers the Reporting API as Matomo 5.2.0 does, by method.
func reports(t *testing.T, answers map[string]string, asked func(r *http.Request)) target.Target {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if asked != nil {
			asked(r)
		}
		a, ok := answers[r.PostForm.Get("method")]
		if !ok {
			a = `{"result":"error","message":"You can't access this resource"}`
		}
		_, _ = w.Write([]byte(a))
	}))
	t.Cleanup(server.Close)
	return target.Target{URL: server.URL + "/matomo.php", SiteID: 3, Token: good}
}

var shown = map[string]string{
	"VisitsSummary.get":         `{"nb_uniq_visitors":250,"nb_visits":250,"nb_actions":1414,"bounce_rate":"17%"}`,
	"Actions.get":               `{"nb_pageviews":1081,"nb_downloads":77,"nb_outlinks":65,"nb_searches":74}`,
	"Goals.get":                 `{"nb_conversions":62,"revenue":7473.53,"revenue_tax":679.24,"revenue_shipping":511.53,"items":164}`,
	"VisitsSummary.getVisits":   `{"2026-11-24":249,"2026-11-25":1,"2026-11-26":0}`,
	"UserCountry.getCountry":    `[{"label":"United States","nb_visits":74,"code":"us","segment":"countryCode==us"}]`,
	"Referrers.getReferrerType": `[{"label":"Suchmaschinen","nb_visits":98,"segment":"referrerType==search"}]`,
	"DevicesDetection.getType":  `[{"label":"Smartphone","nb_visits":"164","segment":"deviceType==smartphone"},{"label":"Feature phone","nb_visits":0,"segment":"deviceType==feature%20phone"}]`,
	"Live.getCounters":          `[{"visits":250,"actions":1414,"visitors":250,"visitsConverted":62}]`,
}

func day(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }

func TestWhatAMatomoShowsIsRead(t *testing.T) {
	at := reports(t, shown, func(r *http.Request) {
		if strings.Contains(r.URL.String(), "token") || r.PostForm.Get("token_auth") != good {
			t.Errorf("%s: the token belongs in the body", r.URL)
		}
		if got := r.PostForm.Get("segment"); got != "dimension2==nightly" {
			t.Errorf("%s asks for segment %q", r.PostForm.Get("method"), got)
		}
	})
	got, err := matomo.NewClient(time.Minute, target.Environment{}).Figures(t.Context(), at,
		matomo.Query{From: day("2026-11-24"), To: day("2026-11-26"), Segment: "dimension2==nightly"})
	unique := uint64(250)
	want := matomo.Figures{
		Visits: 250, Unique: &unique, Items: 164, Hits: map[string]uint64{"pageview": 1081, "search": 74,
			"event": 117, "outlink": 65, "download": 77, "order": 62},
		Revenue: 7473.53, Tax: 679.24, Shipping: 511.53, Days: map[string]uint64{"2026-11-24": 249, "2026-11-25": 1},
		Countries: map[string]uint64{"us": 74}, Sources: map[string]uint64{"search": 98},
		Devices: map[string]uint64{"smartphone": 164},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}

func TestASiteWithoutDataShowsNothing(t *testing.T) {
	empty := map[string]string{}
	for method := range shown {
		empty[method] = "[]"
	}
	got, err := matomo.NewClient(time.Minute, target.Environment{}).Figures(t.Context(), reports(t, empty, nil),
		matomo.Query{From: day("2026-11-24"), To: day("2026-11-24")})
	if err != nil || got.Visits != 0 || got.Unique != nil || len(got.Days) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestATokenThatMayNotReadIsDistinguishedFromASiteWithoutData(t *testing.T) {
	_, err := matomo.NewClient(time.Minute, target.Environment{}).Figures(t.Context(), reports(t, nil, nil),
		matomo.Query{From: day("2026-11-24"), To: day("2026-11-24")})
	if err == nil || !strings.Contains(err.Error(), "VisitsSummary.get") {
		t.Errorf("%v", err)
	}
}

func TestWhatWasKeptWhenEachKindHadAFieldOfItsOwnIsRead(t *testing.T) {
	var got matomo.Figures
	if err := json.Unmarshal([]byte(`{"Visits":3,"Unique":null,"Pageviews":9,"Searches":1,"Events":2,"Outlinks":4,`+
		`"Downloads":5,"Orders":6,"Items":7,"Revenue":1.5,"Tax":0,"Shipping":0,"Days":{"2026-11-24":3}}`),
		&got); err != nil {
		t.Fatal(err)
	}
	want := matomo.Figures{
		Visits: 3, Items: 7, Revenue: 1.5, Days: map[string]uint64{"2026-11-24": 3},
		Hits: map[string]uint64{"pageview": 9, "search": 1, "event": 2, "outlink": 4, "download": 5, "order": 6},
	}
	kept, err := json.Marshal(want)
	var again matomo.Figures
	if err != nil || json.Unmarshal(kept, &again) != nil || !reflect.DeepEqual(got, want) ||
		!reflect.DeepEqual(again, want) {
		t.Errorf("read %+v and %+v, want %+v, %v", got, again, want, err)
	}
}

func TestOnlyANoToTheTokenIsBlamedOnIt(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		token  bool
	}{
		"no right": {401,
			`{"result":"error","message":"You can't access this resource as it requires 'view' access"}`, true},
		"no right, Matomo 4": {200, `{"result":"error","message":"You can't access this resource"}`, true},
		"a wrong token": {400, `{"result":"error","message":"Unable to authenticate with the provided token."}`,
			true},
		"a bad segment": {400, `{"result":"error","message":"Segment 'x' is not supported"}`, false},
		"a gate":        {403, `<h1>403 Forbidden</h1>`, false},
		"a redirect":    {301, ``, false},
		"overloaded":    {503, `<h1>503</h1>`, false},
		"a page":        {200, `<html>`, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		_, err := matomo.NewClient(time.Minute, target.Environment{}).Site(t.Context(),
			target.Target{URL: server.URL + "/matomo.php", Token: "hush"})
		server.Close()
		if err == nil || strings.Contains(matomo.Advice(err), "token") != c.token {
			t.Errorf("%s: %v: %q", name, err, matomo.Advice(err))
		}
	}
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	for _, url := range []string{server.URL, "http://127.0.0.1:1"} {
		if _, err := matomo.NewClient(time.Minute, target.Environment{}).Site(t.Context(),
			target.Target{URL: url + "/matomo.php", Token: "hush"}); err == nil || matomo.Advice(err) == "" ||
			strings.Contains(matomo.Advice(err), "token") {
			t.Errorf("%v: %q", err, matomo.Advice(err))
		}
	}
}
