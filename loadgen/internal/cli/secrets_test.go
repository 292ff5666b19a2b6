package cli

import (
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// gated is a Matomo behind a gate that wants a password and a header, and behind a proxy that wants another password.
// Both repeat all that they were printed where they refuse a request, as the gate does with every fifth hit.
func gated(t *testing.T, auth, header, proxyAuth string) (address, proxy string) {
	t.Helper()
	repeat := func(w http.ResponseWriter, r *http.Request, status int) {
		w.WriteHeader(status)
		_ = r.Header.Write(w)
		printed, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
		_, _ = w.Write(printed)
	}
	m := newMatomo(t, sink.Config{}, func(n int, w http.ResponseWriter, r *http.Request) bool {
		refused := r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(auth)) ||
			r.Header.Get("X-Gate") != header
		if refused || n%5 == 0 && !strings.HasSuffix(r.URL.Path, "index.php") {
			repeat(w, r, http.StatusForbidden)
			return true
		}
		return false
	})
	to, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	to.Path = ""
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(proxyAuth)) {
			repeat(w, r, http.StatusProxyAuthRequired)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return "http://matomo.test/matomo.php", strings.Replace(server.URL, "//", "//"+proxyAuth+"@", 1)
}

func TestNoOutputContainsSecrets(t *testing.T) {
	t.Parallel()
	const auth, header, proxyAuth = "load:hush-password", "hush-header", "pat:hush-proxy"
	address, proxy := gated(t, auth, header, proxyAuth)
	one := func(url, auth, header, proxy string) string {
		return `{"targets":[{"name":"a","url":"` + url + `","site_id":1,"token_auth":"` + token + `","http_auth":"` +
			auth + `","headers":"X-Gate: ` + header + `","proxy_url":"` + proxy + `"}]}`
	}
	inAddress := strings.Replace(address, "//", "//"+auth+"@", 1)
	for name, env := range map[string]map[string]string{
		"settings": {"MATOMO_URL": address, "MATOMO_HTTP_AUTH": auth, "MATOMO_HEADERS": "X-Gate: " + header,
			"PROXY_URL": proxy},
		"an address": {"MATOMO_URL": inAddress, "MATOMO_HEADERS": "X-Gate: " + header, "HTTP_PROXY": proxy},
		"files": {"MATOMO_URL": address, "MATOMO_HTTP_AUTH_FILE": "/s/auth", "MATOMO_HEADERS_FILE": "/s/headers",
			"PROXY_URL_FILE": "/s/proxy"},
		"a target": {"MULTI_TARGET_CONFIG": one(address, auth, header, proxy)},
		"another":  {"MULTI_TARGET_CONFIG": one(inAddress, "", header, proxy)},
	} {
		for _, args := range [][]string{
			{"run", "--report", "/out/report.html", "--junit", "/out/report.xml"}, {"check", "--connect"},
			{"plan", "--visits", "3"}, {"plan", "--format", "jsonl"},
		} {
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/s/auth", auth+"\n")
			write(t, fsys, "/s/headers", "X-Gate: "+header+"\n")
			write(t, fsys, "/s/proxy", proxy)
			env := settings(nil, env)
			env["STATE_DIR"], env["LOG_LEVEL"], env["STOP_AFTER_VISITS"] = "/state", "DEBUG", "20"
			l := start(t, fsys, env, args...)
			code := l.wait(t, patience)
			if args[0] != "check" && code != exitcode.OK {
				t.Errorf("%s, %v: exit code %d:\n%s", name, args, code, l.stderr.String())
			}
			outputs := map[string]string{"stdout": l.stdout.String(), "stderr": l.stderr.String()}
			collect(t, fsys, outputs)
			for where, text := range outputs {
				for _, secret := range []string{"hush", token, base64.StdEncoding.EncodeToString([]byte(auth))} {
					if i := strings.Index(text, secret); i >= 0 {
						t.Errorf("%s, %v: %s holds a secret: …%s…", name, args, where,
							text[max(0, i-60):min(len(text), i+40)])
					}
				}
			}
			if args[0] == "run" {
				if s := l.summary(t); s.Hits.Accepted == 0 || s.Hits.Rejected == 0 {
					t.Errorf("%s: the gate did not both take and refuse hits: %+v", name, s.Hits)
				}
			}
		}
	}
}

// collect adds the files that a program wrote.
func collect(t *testing.T, fsys afero.Fs, into map[string]string) {
	t.Helper()
	err := afero.Walk(fsys, "/", func(path string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() || strings.HasPrefix(path, "/s/") {
			return err
		}
		f, err := fsys.Open(path)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		data, err := io.ReadAll(f)
		into[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
