package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

func TestALimitThatNobodyCanKeepIsRefused(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"-5s", "25h"} {
		var out, faults written
		h := cli.Host{Host: app.Host{Env: map[string]string{}, FS: afero.NewMemMapFs()}, Stdout: &out, Stderr: &faults}
		if code := cli.Run(t.Context(), []string{"reconcile", "r1", "--limit", limit}, h); code != exitcode.BadConfig ||
			!strings.Contains(faults.String(), "--limit") {
			t.Errorf("%s: exit code %d, %s", limit, code, faults.String())
		}
	}
}

func TestAReconciliationThatIsGivenUpProvesNothing(t *testing.T) {
	t.Parallel()
	const began = `"run_id":"r1","began":"2026-01-02T00:00:00Z",`
	for what, after := range map[string]string{
		"none was kept":      `{"run_id":"r1","state":"none","targets":[]}`,
		"an older one is":    `{"run_id":"r1","began":"2026-01-01T00:00:00Z","state":"done","targets":[]}`,
		"it tells so itself": `{` + began + `"state":"cancelled","targets":[]}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := after
			if r.Method == http.MethodPost {
				answer = `{` + began + `"state":"waiting","targets":[]}`
			}
			_, _ = w.Write([]byte(answer))
		}))
		defer server.Close()
		var out, faults written
		h := cli.Host{Host: app.Host{FS: afero.NewMemMapFs(),
			Env: map[string]string{"CONTROL_UI_API_KEY": strings.Repeat("k", 32)}},
			Stdout: &out, Stderr: &faults}
		if code := cli.Run(
			t.Context(),
			[]string{"reconcile", "r1", "--api-base", server.URL},
			h,
		); code != exitcode.Internal ||
			!strings.Contains(faults.String(), "cancelled or failed") {
			t.Errorf("%s: exit code %d, %s%s", what, code, out.String(), faults.String())
		}
	}
}

func TestWhatIsEqualWithinDoubtSaysSo(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(
			`{"run_id":"r1","began":"2026-01-02T00:00:00Z","state":"done","verdict":"equal","targets":[{"name":"matomo","site_id":1,"slice":"site","rows":[
			{"group":"total","name":"visits","sent":24,"most":25,"recorded":25,"verdict":"equal","why":"between 24 that were accepted and 25 with those in doubt"}]}]}`,
		))
	}))
	defer server.Close()
	var out, faults written
	h := cli.Host{Host: app.Host{FS: afero.NewMemMapFs(),
		Env: map[string]string{"CONTROL_UI_API_KEY": strings.Repeat("k", 32)}},
		Stdout: &out, Stderr: &faults}
	if code := cli.Run(t.Context(), []string{"reconcile", "r1", "--api-base", server.URL}, h); code != exitcode.OK ||
		!strings.Contains(out.String(), "25 with those in doubt") {
		t.Errorf("exit code %d, %s%s", code, out.String(), faults.String())
	}
}

// net/http takes a header of its own names along to any host.
func TestTheKeyFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("X-API-Key")
	}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL+"/elsewhere", http.StatusMovedPermanently))
	defer server.Close()
	var out, faults written
	h := cli.Host{Host: app.Host{FS: afero.NewMemMapFs(),
		Env: map[string]string{"CONTROL_UI_API_KEY": strings.Repeat("k", 32)}},
		Stdout: &out, Stderr: &faults}
	code := cli.Run(t.Context(), []string{"export-funnels", "--api-base", server.URL}, h)
	if want := "it redirects to " + other.URL + "/elsewhere; use that as --api-base"; code != exitcode.Internal ||
		!strings.Contains(faults.String(), want) {
		t.Errorf("exit code %d, %s", code, faults.String())
	}
	select {
	case key := <-asked:
		t.Errorf("the other host was sent %q", key)
	default:
	}
}
