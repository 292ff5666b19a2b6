package plan

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// hashes are what plans were called before roles decided what is hashed, by the settings that were not default,
// KEY=value a line. fields are those that spec.Spec had then: later ones are left out before a hash is compared.
//
//go:embed testdata/hashes.json
var hashes []byte

func TestPlanHashIsUnchanged(t *testing.T) {
	t.Parallel()
	var was struct {
		Fields []string
		Hashes map[string]string
	}
	if err := json.Unmarshal(hashes, &was); err != nil {
		t.Fatal(err)
	}
	for settings, want := range was.Hashes {
		p := planOf(t, settings)
		data, err := p.hashInput()
		if err != nil {
			t.Fatal(err)
		}
		if got := p.hashOf(only(t, data, was.Fields)); got != want {
			t.Errorf("%s: hash %s, want %s", settings, got, want)
		}
	}
}

// only leaves the given fields of the settings, the first element of data.
func only(t *testing.T, data []byte, fields []string) []byte {
	t.Helper()
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	d := json.NewDecoder(bytes.NewReader(parts[0]))
	_, _ = d.Token() // {
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(fields, name.(string)) {
			kept.WriteString(`,"` + name.(string) + `":`)
			kept.Write(value)
		}
	}
	parts[0] = append([]byte("{"), append(kept.Bytes()[1:], '}')...)
	return append(append([]byte("["), bytes.Join([][]byte{parts[0], parts[1], parts[2], parts[3], parts[4]},
		[]byte(","))...), ']')
}

func planOf(t *testing.T, settings string) *Plan {
	t.Helper()
	fs := afero.NewMemMapFs()
	for name, content := range map[string]string{
		"/x/urls.txt": "https://s.test/a\n", "/x/more/urls.txt": "https://s.test/b\n",
		"/x/more/funnels.json": `[]`, "/x/more/env": "",
	} {
		if err := afero.WriteFile(fs, name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"MATOMO_URL": "https://m.example.test/matomo.php", "EXCHANGE_DIR": "/x"}
	for line := range strings.Lines(settings) {
		key, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		env[key] = v
	}
	p, problems := Load(fs, env, func(*Plan) (uint64, string) { return 42, "test" })
	if p == nil {
		t.Fatalf("%s: %v", settings, problems)
	}
	return p
}
