package setup_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestAListOfPagesIsPagedAndSummed(t *testing.T) {
	l := newLibrary(t)
	pages, report, source, err := l.URLs(t.Context(), 0, 5)
	if err != nil || source != setup.Default || report.Count != 2000 || len(pages) != 5 ||
		report.Structure.Total != 2000 || len(report.Structure.Categories) != 10 {
		t.Errorf("built in: %d pages, %+v, %v", len(pages), report.Count, err)
	}
	_, err = l.SaveURLs(t.Context(),
		[]byte("# mine\nhttps://a.test/shop/x\thome\nhttps://a.test/shop/x/y\nhttps://b.test/"))
	must(t, err)
	pages, report, source, err = l.URLs(t.Context(), 1, 5)
	must(t, err)
	if source != setup.Custom || report.Lines != 4 || report.Count != 3 || len(pages) != 2 ||
		pages[0].URL != "https://a.test/shop/x/y" {
		t.Errorf("%+v, %+v", pages, report)
	}
	s, _ := json.Marshal(report.Structure)
	const want = `{"total":3,"domains":[{"name":"a.test","count":2},{"name":"b.test","count":1}],"categories":[` +
		`{"name":"shop","count":2,"subcategories":[{"name":"x","count":2}],"more_subcategories":0},{"name":"/","count":1,"subcategories":[],"more_subcategories":0}],"more_categories":0}`
	if string(s) != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if pages, _, _, err := l.URLs(t.Context(), 99, -1); err != nil || len(pages) != 0 {
		t.Errorf("beyond the end: %v, %v", pages, err)
	}
	for bad, place := range map[string]string{"": "urls.txt", "nonsense\n": "urls.txt line 1"} {
		_, err := l.SaveURLs(t.Context(), []byte(bad))
		refused(t, err, place)
	}
	for _, there := range []bool{true, false} {
		if deleted, err := l.DeleteURLs(t.Context()); err != nil || deleted != there {
			t.Errorf("deleted: %v, %v", deleted, err)
		}
	}
}

func TestAListInUTF16IsSavedAsEverybodyReadsIt(t *testing.T) {
	l := newLibrary(t)
	_, err := l.SaveURLs(t.Context(), []byte("\xff\xfeh\x00t\x00t\x00p\x00:\x00/\x00/\x00a\x00/\x00\r\x00\n\x00"))
	must(t, err)
	if content, _, err := l.URLContent(t.Context()); err != nil || string(content) != "http://a/\r\n" {
		t.Errorf("%q, %v", content, err)
	}
}

// fiftyThousand is as long a list as a person keeps.
func fiftyThousand() []byte {
	var list strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&list, "https://shop%d.test/category-%d/sub-%d/page-%d\tPage %d\n", i%3, i%40, i%900, i, i)
	}
	return []byte(list.String())
}

func BenchmarkFiftyThousandPagesChecked(b *testing.B) {
	content := fiftyThousand()
	for b.Loop() {
		if r := setup.New(nil, nil, nil, "", "").ValidateURLs(content); !r.Valid {
			b.Fatal(r.Errors)
		}
	}
}

func BenchmarkAPageOfFiftyThousand(b *testing.B) {
	s, err := store.Open(b.Context(), afero.NewOsFs(), filepath.Join(b.TempDir(), "db"), store.Key{1}, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a benchmark
	l := setup.New(s, unseen(), nil, "", "")
	if _, err := l.SaveURLs(b.Context(), fiftyThousand()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if pages, _, _, err := l.URLs(b.Context(), 40_000, 100); err != nil || len(pages) != 100 {
			b.Fatal(err)
		}
	}
}

func TestTheProbabilitiesOfEventsAreTheKnobs(t *testing.T) {
	l := newLibrary(t)
	set, source, err := l.Events(t.Context())
	if err != nil || source != setup.Default || *set.ClickProbability != .25 || len(set.Click) != 16 {
		t.Errorf("%+v, %v", set, err)
	}
	r, err := l.SaveEvents(
		t.Context(),
		[]byte(
			`{"click_events_probability":0.4,"click_events":[{"category":"c","action":"a","name":"n"},{"category":"c","action":"b","name":"n"}],"random_events":[]}`,
		),
	)
	if err != nil || r.Stats.Click != 2 || r.Stats.ClickCategories[0] != (setup.Count{Name: "c", Count: 2}) ||
		len(r.Warnings) == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if c, err := l.MergeConfig(t.Context(), map[string]any{"RANDOM_EVENTS_PROBABILITY": 0.2}, 0); err != nil ||
		c.Values["CLICK_EVENTS_PROBABILITY"] != .4 {
		t.Errorf("%v, %v", c.Values, err)
	}
	set, source, err = l.Events(t.Context())
	if err != nil || source != setup.Custom || *set.ClickProbability != .4 || *set.RandomProbability != .2 {
		t.Errorf("%+v, %v", set, err)
	}
	_, err = l.SaveEvents(t.Context(),
		[]byte(`{"click_events":[{"category":"","action":"a","name":"n"}],"random_events_probability":2}`))
	refused(t, err, "random_events_probability", "click_events[0].category")
	if deleted, err := l.DeleteEvents(t.Context()); err != nil || !deleted {
		t.Errorf("%v, %v", deleted, err)
	}
}

func TestATargetKeepsItsTokenWhereItIsMasked(t *testing.T) {
	l := newLibrary(t)
	a, err := l.CreateTarget(t.Context(),
		[]byte(`{"name":"A","url":"https://a.test","site_id":1,"token_auth":"`+token+`","read_token":"reads"}`))
	must(t, err)
	if text, _ := json.Marshal(a); strings.Contains(string(text), token) || strings.Contains(string(text), `"reads"`) ||
		!strings.Contains(string(text), secret.Mask) || a.URL != "https://a.test/matomo.php" {
		t.Errorf("%s", text)
	}
	a, err = l.UpdateTarget(t.Context(), a.ID,
		[]byte(`{"site_id":5,"token_auth":"***MASKED***","read_token":"***MASKED***"}`))
	if err != nil || a.Token != token || a.ReadToken != "reads" || a.SiteID != 5 || a.Name != "A" {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err = l.UpdateTarget(t.Context(), a.ID, []byte(`{"token_auth":""}`)); err != nil || a.Token != "" {
		t.Errorf("%+v, %v", a, err)
	}
	_, err = l.CreateTarget(t.Context(),
		[]byte(`{"name":"B","url":"ftp://b.test","site_id":0,"token_auth":"***MASKED***","weight":101,"x":1}`))
	refused(t, err, "x", "site_id", "weight", "token_auth", "url")
	if _, err := l.CreateTarget(t.Context(), []byte(`{"name":"a","url":"https://a.test","site_id":1}`)); !errors.Is(err,
		setup.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
}

func TestATargetsTokenDoesNotFollowToAnotherAddress(t *testing.T) {
	l := newLibrary(t)
	a, err := l.CreateTarget(t.Context(),
		[]byte(`{"name":"A","url":"https://a.test","site_id":1,"token_auth":"`+token+`","read_token":"reads"}`))
	must(t, err)
	for _, body := range []string{`{"url":"https://b.test"}`,
		`{"url":"https://b.test","token_auth":"***MASKED***","read_token":"***MASKED***"}`} {
		_, err = l.UpdateTarget(t.Context(), a.ID, []byte(body))
		refused(t, err, "token_auth", "read_token")
	}
	if a, err = l.UpdateTarget(t.Context(), a.ID, []byte(`{"url":"https://a.test/"}`)); err != nil || a.Token != token {
		t.Errorf("the same address in other words: %+v, %v", a, err)
	}
	if a, err = l.UpdateTarget(t.Context(), a.ID,
		[]byte(`{"url":"https://b.test","token_auth":"","read_token":"others"}`)); err != nil || a.Token != "" ||
		a.ReadToken != "others" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAnImportKeepsReadTokensOfTheSameAddress(t *testing.T) {
	l := newLibrary(t)
	for _, name := range []string{"A", "B"} {
		_, err := l.CreateTarget(t.Context(),
			[]byte(`{"name":"`+name+`","url":"https://`+name+`.test","site_id":1,"read_token":"reads"}`))
		must(t, err)
	}
	must(t, setup.ImportFile(
		l,
		t.Context(),
		"/x",
		exchange.TargetsFile,
		[]byte(
			`{"targets":[{"name":"A","url":"https://A.test","site_id":2},{"name":"B","url":"https://other.test","site_id":2}]}`,
		),
	))
	targets, _, err := l.Targets(t.Context())
	if err != nil || targets[0].ReadToken != "reads" || targets[1].ReadToken != "" {
		t.Errorf("%+v, %v", targets, err)
	}
	exported, err := l.Export(t.Context())
	must(t, err)
	text, err := json.Marshal(exported)
	must(t, err)
	must(t, l.Import(t.Context(), text))
	if targets, _, err = l.Targets(t.Context()); err != nil || targets[0].ReadToken != "reads" {
		t.Errorf("%+v, %v", targets, err)
	}
}

func TestSeveralTargetsNeedAnEnabledOne(t *testing.T) {
	l := newLibrary(t)
	refused(t, l.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: "best"}),
		"distribution_strategy", "mode")
	a, err := l.CreateTarget(t.Context(), []byte(`{"name":"A","url":"https://a.test","site_id":1,"enabled":false}`))
	must(t, err)
	refused(t, l.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: target.Random}), "mode")
	_, err = l.UpdateTarget(t.Context(), a.ID, []byte(`{"enabled":true}`))
	must(t, err)
	must(t, l.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: target.Random}))
	refused(t, l.DeleteTarget(t.Context(), a.ID), "enabled")
	_, err = l.UpdateTarget(t.Context(), a.ID, []byte(`{"enabled":false}`))
	refused(t, err, "enabled")
	must(t, l.SaveRouting(t.Context(), stored.Routing{Mode: stored.Single, Strategy: target.Random}))
	must(t, l.DeleteTarget(t.Context(), a.ID))
}

func TestAnImportLeavesOutWhatBelongsToTheStack(t *testing.T) {
	l := newLibrary(t)
	must(t, setup.ImportFile(l, t.Context(), "/x", exchange.EnvFile,
		[]byte("MATOMO_URL="+url+"\nCORS_ORIGINS=*\nCONTROL_UI_PORT=8000\nSTART_SIGNAL_FILE=/x\nCONCURRENCY=9\n")))
	c, err := l.Config(t.Context())
	must(t, err)
	if c.Values["CONCURRENCY"] != 9 || c.Values["MATOMO_URL"] != url {
		t.Errorf("got %v", c.Values)
	}
	refused(t, setup.ImportFile(l, t.Context(), "/x", exchange.EnvFile, []byte("CONCURENCY=9\n")), "CONCURENCY")
}
