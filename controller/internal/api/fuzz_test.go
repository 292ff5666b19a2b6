package api_test

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi-validator/responses"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
)

// contract is the document, to hold answers against.
type contract struct {
	document
	model   *v3.Document
	answers responses.ResponseBodyValidator
}

func newContract(t *testing.T, f *fixture) contract {
	t.Helper()
	d, text := readDocument(t, f)
	parsed, err := libopenapi.NewDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	return contract{d, &model.Model, responses.NewResponseBodyValidator(&model.Model)}
}

// each calls do for every operation, in an order that does not change; what deletes comes after what reads.
func (c contract) each(do func(method, path string, o operation)) {
	for _, path := range slices.Sorted(maps.Keys(c.Paths)) {
		for _, method := range slices.Backward(slices.Sorted(maps.Keys(c.Paths[path]))) {
			do(strings.ToUpper(method), path, c.Paths[path][method])
		}
	}
}

// check holds an answer against the document and looks for what it must not be.
func (c contract) check(t *testing.T, what, path string, r *http.Request, got reply) {
	t.Helper()
	text := got.Body.String()
	if got.Code >= 500 && got.Code != http.StatusNotImplemented {
		t.Errorf("%s: %d %s", what, got.Code, text)
	}
	if strings.Contains(text, apiKey) || strings.Contains(text, token) {
		t.Errorf("%s: %d holds a secret: %.300s", what, got.Code, text)
	}
	if got.Header().Get("X-Injected") != "" {
		t.Errorf("%s: a header was injected", what)
	}
	switch kind := got.Header().Get("Content-Type"); {
	case got.Code >= 400 && kind != "application/problem+json":
		t.Errorf("%s: a failure of type %q", what, kind)
	case !strings.Contains(kind, "json"):
		return // a file or a stream, which the document does not describe further
	}
	item := c.model.Paths.PathItems.GetOrZero(path)
	if _, faults := c.answers.ValidateResponseBodyWithPathItem(r, got.Result(), item, path); len(faults) > 0 {
		reasons := []string{}
		for _, fault := range faults {
			reasons = append(reasons, fmt.Sprint(fault.Message, ": ", fault.Reason, " ", fault.SchemaValidationErrors))
		}
		t.Errorf("%s: the answer %d %.300s is not what the document says: %s", what, got.Code, text,
			strings.Join(reasons, "; "))
	}
}

// idThere finds the id of something that a list holds.
var idThere = regexp.MustCompile(`"id":"?([\w-]+)`)

// try sends a request of an operation and checks the answer.
func (c contract) try(t *testing.T, f *fixture, s sampler, method, path string, o operation) int {
	t.Helper()
	target, query := path, url.Values{}
	r := httptest.NewRequest(method, "/", nil)
	for _, p := range o.Parameters {
		switch v := s.parameter(p.Schema, p.Name); p.In {
		case "path":
			if there := idThere.FindStringSubmatch(f.ask("GET", path[:strings.Index(path, "/{")],
				"").Body.String()); there != nil && s.Float64() >= s.spite {
				v = there[1]
			}
			target = strings.ReplaceAll(target, "{"+p.Name+"}", url.PathEscape(v))
		case "query":
			if p.Required && s.Float64() >= s.spite || s.IntN(2) == 0 {
				query.Set(p.Name, v)
			}
		case "header":
			if s.IntN(2) == 0 {
				r.Header.Set(p.Name, v)
			}
		}
	}
	body := s.body(o)
	headers := []string{}
	for name := range r.Header {
		headers = append(headers, name, r.Header.Get(name))
	}
	got := f.ask(method, target+"?"+query.Encode(), body, headers...)
	c.check(t, fmt.Sprintf("%s %.200s?%.200s %.200q", method, target, query.Encode(), body), path, r, got)
	return got.Code
}

// rounds are how often every operation is tried: 40 times, and more for FUZZ_SECONDS. FUZZ_SEED draws others.
func rounds(t *testing.T, try func(round int, seed uint64)) {
	t.Helper()
	seed, _ := strconv.ParseUint(os.Getenv("FUZZ_SEED"), 10, 64) // 0 without it
	seconds, _ := strconv.Atoi(os.Getenv("FUZZ_SECONDS"))
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	round := 0
	for ; !t.Failed() && (round < 40 || time.Now().Before(until)); round++ {
		try(round, seed)
	}
	t.Logf("%d rounds with FUZZ_SEED=%d", round, seed)
}

func TestEveryAnswerIsWhatTheDocumentSaysAndWhatBreaksItIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runs.result = run.Result{Status: run.Status{Loadgen: launcher.Status{State: launcher.Running}}}
	f.hub.Close() // a stream would not end
	c := newContract(t, f)
	seen := map[string]map[int]int{}
	rounds(t, func(round int, seed uint64) {
		for path, body := range map[string]string{
			"/api/presets": `{"name":"there","config":{"PAGEVIEWS_MIN":2}}`,
			"/api/funnels": `{"name":"there","probability":0.1,"steps":[{"type":"pageview","url":"https://shop.example.test/"}]}`,
			"/api/targets": `{"name":"there","url":"https://m.example.test/matomo.php","site_id":1}`,
		} {
			f.ask("POST", path, body) // refused where it is there still
		}
		f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"https://m.example.test/matomo.php","MATOMO_TOKEN_AUTH":"`+
			token+`"}}`)
		f.ran(t, "there")
		f.ran(t, "other")
		f.saveBenchmark(t, "there", .1)
		f.saveBenchmark(t, "other", .2)
		if err := f.store.SaveJob(t.Context(),
			record.Job{RunID: "there", State: job.Queued, Queued: time.Now()}); err != nil {
			t.Fatal(err)
		}
		c.each(func(method, path string, o operation) {
			// Each operation draws for itself, so that a new one changes nothing for the others.
			of := fnv.New64a()
			_, _ = of.Write([]byte(method + path)) // never fails
			s := sampler{rand.New(rand.NewPCG(of.Sum64()^seed, uint64(round))), c.Components.Schemas,
				float64(round%4) / 8}
			if seen[method+" "+path] == nil {
				seen[method+" "+path] = map[int]int{}
			}
			seen[method+" "+path][c.try(t, f, s, method, path, o)]++
			s.spite = 0
			c.breaks(t, f, s, method, path, o)
		})
	})
	for what, codes := range seen {
		good := codes[200] + codes[201] + codes[202] + codes[204] + codes[501]
		// No Matomo is asked here, no deleted run is listed, no job is left to go on, and nobody signs in with what is
		// drawn.
		if good == 0 && !slices.Contains([]string{"/resume", "/settle", "/reconcile", "/annotate", "/restore",
			"/session"}, what[strings.LastIndexByte(what, '/'):]) {
			t.Errorf("%s was never answered well, so nothing is known of it: %v", what, codes)
		}
	}
	for name, text := range map[string]string{"the log": f.log.String(), "the database": read(t, f.db),
		"its log": read(t, f.db+"-wal")} {
		if strings.Contains(text, token) || strings.Contains(text, apiKey) {
			t.Errorf("%s holds a secret", name)
		}
	}
}

func TestWithoutKeyBodyOrMeasureEveryRouteRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.hub.Close() // a stream would not end
	c := newContract(t, f)
	operations := 0
	var open []string
	c.each(func(method, path string, o operation) {
		operations++
		target := strings.NewReplacer("{id}", "1").Replace(path)
		send := func(what string, body io.Reader, want int, prepare func(*http.Request)) {
			r := httptest.NewRequest(method, target, body)
			prepare(r)
			got := reply{httptest.NewRecorder()}
			f.ServeHTTP(got, r)
			if got.Code != want {
				t.Errorf("%s %s with %s: %d, want %d: %.300s", method, path, what, got.Code, want, got.Body)
			}
			c.check(t, method+" "+path+" with "+what, path, r, got)
		}
		if len(o.Security) == 0 {
			open = append(open, method+" "+path)
			send("no key", nil, map[bool]int{true: 200, false: 400}[method == "GET"], func(*http.Request) {})
		} else {
			send("no key", nil, http.StatusUnauthorized, func(*http.Request) {})
			send("a wrong key", nil, http.StatusForbidden, func(r *http.Request) {
				r.Header.Set("X-API-Key", "wrong")
				r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", operations)
			})
		}
		if o.RequestBody == nil {
			return
		}
		member := func(r *http.Request) {
			r.Header.Set("X-API-Key", apiKey)
			r.Header.Set("Content-Type", "application/json")
		}
		if o.RequestBody.Required {
			send("no body", nil, http.StatusBadRequest, member)
		}
		send("a body that is too large", io.LimitReader(blanks{}, 73<<20), http.StatusRequestEntityTooLarge, member)
		send("a form", strings.NewReader("a=b"), http.StatusUnsupportedMediaType, func(r *http.Request) {
			member(r)
			r.Header.Set("Content-Type", "text/plain")
		})
	})
	slices.Sort(open)
	if !slices.Equal(open, []string{"GET /health", "POST /api/session"}) {
		t.Errorf("open to everybody: %v", open)
	}
}

// blanks is an endless body.
type blanks struct{}

// Read implements io.Reader.
func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}
