package doctor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/target"
)

// A wall that judges each request lets one of an empty visitor pass, and stops what it takes for an attack.
func TestAGateThatStopsSomeRequestsIsNotTakenForMatomo(t *testing.T) {
	t.Parallel()
	for part, check := range map[string]string{"cip=": "token", `"requests"`: "bulk"} {
		f := &fake{site: shop}
		gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			isBulk := strings.Contains(string(body), `"requests"`)
			if strings.Contains(string(body), part) && isBulk == (check == "bulk") {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "<h1>Blocked by policy</h1>")
				return
			}
			f.ServeHTTP(w, r)
		}))
		t.Cleanup(gate.Close)
		d := doctor.New(time.Minute, target.Environment{}).Diagnose(t.Context(),
			target.Target{URL: gate.URL + "/sub/matomo.php", SiteID: 1, Token: good}, all)
		if _, text := reported(d, check); d.Works || !strings.Contains(text, "let it pass requests from here") {
			t.Errorf("%s: %+v", check, d.Findings)
		}
	}
}

func TestATerminalIsSentNoControlCharactersOfAnotherMachine(t *testing.T) {
	t.Parallel()
	d := examine(t, &fake{site: set("Europe/Berlin", `Mars\u001b[2J`)}, nil, all)
	for _, f := range d.Findings {
		if strings.ContainsFunc(f.Message+f.Cure, unicode.IsControl) {
			t.Errorf("%q, %q", f.Message, f.Cure)
		}
	}
	if _, text := reported(d, "timezone"); !strings.Contains(text, "Mars") {
		t.Errorf("the zone is not named: %s", text)
	}
}
