package journey

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
)

// mayHold are the files below the data folder that a token has to be in: those that the loadgen reads it from.
var mayHold = []string{"exchange/loadgen.env"}

// KeepsSecrets looks for the key and the token wherever they do not belong: in every answer, every file and the texts
// that are given, such as logs.
func (p Product) KeepsSecrets(t *testing.T, texts map[string]string) {
	t.Helper()
	for path := range p.Call(t, http.MethodGet, "/openapi.json", nil, http.StatusOK)["paths"].(map[string]any) {
		if !strings.Contains(path, "{") && path != "/api/stream" {
			texts["GET "+path] = p.text(t, path)
		}
	}
	texts["openapi.json"] = p.text(t, "/openapi.json")
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
		if err != nil || slices.Contains(mayHold, name) {
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
	for _, name := range []string{"GET /api/logs", "controller/trafficinator.db", "the process list"} {
		if len(texts[name]) < 100 {
			t.Errorf("%s is too short to have been looked at: %q", name, texts[name])
		}
	}
	for name, text := range texts {
		for what, secret := range map[string]string{"key": Key, "token": Token} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the %s", name, what)
			}
		}
	}
}

// commandLines are those of all processes, which everybody on a machine can read, but for sinks: a test gives them the token.
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
