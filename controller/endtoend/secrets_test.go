package endtoend

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/exchange"
)

// mayHold are the files below the data folder that secrets have to be in: those that the loadgen reads them from, and
// the key that a person put there.
var mayHold = []string{"exchange/loadgen.env", "exchange/" + exchange.TLSFolder + "/*",
	"controller/" + certificate + ".key"}

// isMeant tells whether a file may hold secrets.
func isMeant(name string) bool {
	return slices.ContainsFunc(mayHold, func(pattern string) bool {
		ok, err := filepath.Match(pattern, name)
		return ok && err == nil
	})
}

// KeepsSecrets looks for the key and every secret of a target wherever they do not belong: in every answer, refusals
// among them, every file and the texts that are given, such as logs.
func (p Product) KeepsSecrets(t *testing.T, texts map[string]string) {
	t.Helper()
	for path := range p.Call(t, http.MethodGet, "/openapi.json", nil, http.StatusOK)["paths"].(map[string]any) {
		if !strings.Contains(path, "{") && path != "/api/stream" {
			texts["GET "+path] = p.text(t, path)
		}
	}
	texts["openapi.json"] = p.text(t, "/openapi.json")
	elsewhere := "https://user:" + password + "@[elsewhere/"
	for path, body := range map[string]any{
		"/api/validate": p.config(map[string]any{"MATOMO_URL": elsewhere, "MATOMO_HEADERS": header,
			"PROXY_URL": password, "MATOMO_TOKEN_AUTH": Token + " " + Token}),
		"/api/targets": map[string]any{"name": "T", "url": elsewhere, "site_id": 0, "http_auth": password,
			"headers": header, "proxy_url": password, "token_auth": Token + " x"},
		"/api/test-connection": map[string]any{"matomo_url": elsewhere,
			"config": map[string]any{"MATOMO_HEADERS": header}},
	} {
		texts["POST "+path] = p.sent(t, path, body)
	}
	for _, r := range p.Call(t, http.MethodGet, "/api/runs", nil, http.StatusOK)["runs"].([]any) {
		path := fmt.Sprintf("/api/runs/%v", r.(map[string]any)["id"])
		texts["GET "+path] = p.text(t, path)
	}
	data := filepath.Join(p.Dir, "data")
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil || isMeant(name) {
			return err
		}
		content, err := os.ReadFile(path)
		texts[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	texts["the process list"] = commandLines(t)
	key, err := os.ReadFile(filepath.Join(data, "controller", certificate+".key"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{
		"key": Key, "token": Token, "token to read with": readToken, "password": password, "header": header,
		"private key": strings.Split(string(key), "\n")[1],
	}
	for _, name := range []string{"GET /api/logs", "controller/trafficinator.db", "the process list"} {
		if len(texts[name]) < 100 {
			t.Errorf("%s is too short to have been looked at: %q", name, texts[name])
		}
	}
	for name, text := range texts {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the %s", name, what)
			}
		}
	}
}

// commandLines are those of all processes, which everybody on a machine can read, but for sinks: a test gives them the
// token.
func commandLines(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended since
		}
		if !bytes.Contains(line, []byte("\x00sink\x00")) {
			all.Write(append(line, '\n'))
		}
	}
	return all.String()
}
