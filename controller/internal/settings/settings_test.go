package settings_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/envspec"
)

// files are what can be read.
func files(content map[string]string) envspec.ReadFile {
	return func(path string) ([]byte, error) {
		if v, ok := content[path]; ok {
			return []byte(v), nil
		}
		return nil, errors.New("no such file")
	}
}

func TestNothingNeedsToBeSet(t *testing.T) {
	s, problems := settings.Parse(map[string]string{"PATH": "/bin", "LISTEN_ADDR": " "}, nil)
	if problems != nil {
		t.Fatal(problems)
	}
	for name, pair := range map[string][2]string{
		"address":         {s.ListenAddr, "127.0.0.1:8000"},
		"exchange folder": {s.ExchangeDir, filepath.Join("data", "exchange")},
		"state folder":    {s.StateDir, filepath.Join("data", "state")},
		"database":        {s.DBPath, filepath.Join("data", "controller", "trafficinator.db")},
		"key":             {s.SecretKeyPath, filepath.Join("data", "controller", "secret-key")},
		"container":       {s.LoadgenName, "matomo-loadgen"},
		"hosts":           {strings.Join(s.AllowedHosts, " "), "localhost 127.0.0.1 [::1]"},
		"runtime":         {s.Runtime, "auto"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("the %s is %q, want %q", name, pair[0], pair[1])
		}
	}
	if s.RateLimit != 1200 {
		t.Errorf("the limit is %d", s.RateLimit)
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	_, problems := settings.Parse(map[string]string{
		"LISTEN_ADDR": "8000", "RUNTIME": "podman", "RATE_LIMIT_PER_MINUTE": "many", "CONTROL_UI_API_KEY": "short",
		"CORS_ORIGINS": "*, https://ok.test, https://a.test/x", "TRUSTED_PROXIES": "10.0.0.0/8,nobody",
		"ALLOWED_HOSTS": "a.test:80,b.test",
		"DOCKER_HOST":   "x", "LOG_LEVEL": "warning", "PUBLIC_URL": "load.example.test", "LOADGEN_MEMORY": "much",
	}, nil)
	want := []string{
		`RUNTIME="podman": is not one of auto, docker, process; use auto`,
		`RATE_LIMIT_PER_MINUTE="many": is not an integer; for example 1200`,
		`LISTEN_ADDR="8000": is not host:port; for example 127.0.0.1:8000`,
		`CONTROL_UI_API_KEY: is shorter than 16 characters; use a long random one, or unset it to have one generated`,
		`ALLOWED_HOSTS="a.test:80": is not a host name; write names without scheme and port, such as load.example.test or [::1]`,
		`CORS_ORIGINS="*": is not an origin; write https://host or https://host:port; * is not taken, because pages of anybody could then use your key`,
		`CORS_ORIGINS=" https://a.test/x": is not an origin`,
		`TRUSTED_PROXIES="nobody": is not an address or a network; for example 10.0.0.2 or 10.0.0.0/8`,
		`PUBLIC_URL: is not a valid URL; for example https://load.example.test or http://localhost:8000`,
		`LOADGEN_MEMORY="much": is not a memory size; for example 512m or 2g; 0 is no limit`,
		`DOCKER_HOST: is not the address of a Docker engine; for example unix:///var/run/docker.sock`,
	}
	got := strings.Split(problems.Errors().Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got\n%s", strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func TestKeysOfTheOriginalWithoutEffectAreNamed(t *testing.T) {
	_, problems := settings.Parse(map[string]string{"BACKFILL_CONTAINER_PREFIX": "past",
		"BACKFILL_HISTORY_PATH": "/h.json", "START_SIGNAL_FILE": ""}, nil)
	var named []string
	for _, p := range problems.Warnings() {
		if strings.Contains(p.Message, "has no effect") {
			named = append(named, p.Where)
		}
	}
	if !slices.Equal(named, []string{"BACKFILL_CONTAINER_PREFIX", "BACKFILL_HISTORY_PATH"}) {
		t.Errorf("got %v of %v", named, problems)
	}
}

// In the stack of compose the controller listens everywhere inside its network, and PUBLIC_URL says what is published.
func TestWhereTheControllerIsReachedIsJudgedByItsPublicAddress(t *testing.T) {
	for public, want := range map[string]string{
		"":                           "warning LISTEN_ADDR",
		"http://localhost:24000":     "",
		"https://load.example.test/": "",
		"http://load.example.test":   "warning PUBLIC_URL",
	} {
		s, problems := settings.Parse(map[string]string{"LISTEN_ADDR": "0.0.0.0:8000", "PUBLIC_URL": public}, nil)
		got := ""
		for _, p := range problems {
			got += string(p.Severity) + " " + p.Where
		}
		if got != want {
			t.Errorf("%q: got %v", public, problems)
		}
		if hosts := strings.Join(s.AllowedHosts, " "); strings.Contains(public, "example") != strings.HasSuffix(hosts,
			" load.example.test") {
			t.Errorf("%q: may be called as %s", public, hosts)
		}
	}
}

func TestBoundsAreKept(t *testing.T) {
	_, problems := settings.Parse(map[string]string{"RATE_LIMIT_PER_MINUTE": "0"}, nil)
	if err := problems.Err(); err == nil || err.Error() != `RATE_LIMIT_PER_MINUTE="0": is below 1; use at least 1` {
		t.Errorf("got %v", err)
	}
}

func TestASecretMayComeByFile(t *testing.T) {
	read := files(map[string]string{"/run/key": "0123456789abcdef\n", "/run/empty": "\n"})
	s, problems := settings.Parse(map[string]string{"CONTROL_UI_API_KEY_FILE": "/run/key"}, read)
	if problems != nil || s.APIKey.Reveal() != "0123456789abcdef" {
		t.Errorf("got %v", problems)
	}
	for name, environ := range map[string]map[string]string{
		"is set together with": {"CONTROL_UI_API_KEY_FILE": "/run/key", "CONTROL_UI_API_KEY": "fedcba9876543210"},
		"cannot be read":       {"CONTROL_UI_API_KEY_FILE": "hush-hush-hush-hush"},
		"names an empty file":  {"CONTROL_UI_API_KEY_FILE": "/run/empty"},
	} {
		_, problems := settings.Parse(environ, read)
		if err := problems.Err(); err == nil || !strings.Contains(err.Error(), name) ||
			strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAnAddressForOthersIsWarnedOf(t *testing.T) {
	for address, warned := range map[string]bool{":8000": true, "0.0.0.0:8000": true, "[::1]:8000": false,
		"localhost:8000": false} {
		_, problems := settings.Parse(map[string]string{"LISTEN_ADDR": address}, nil)
		if problems.Err() != nil || (len(problems) > 0) != warned {
			t.Errorf("%s: %v", address, problems)
		}
	}
}

func TestProxiesAreAddressesOrNetworks(t *testing.T) {
	s, problems := settings.Parse(map[string]string{"TRUSTED_PROXIES": "10.1.2.3/8, ::1"}, nil)
	if got := s.ProxyNetworks(); problems != nil || len(got) != 2 || got[0].String() != "10.0.0.0/8" ||
		got[1].String() != "::1/128" {
		t.Errorf("got %v, %v", got, problems)
	}
}

func TestThePublicAddressIsAHostAndAPath(t *testing.T) {
	for address, want := range map[string]string{
		"https://load.test": "https://load.test", "http://load.test:8080/": "http://load.test:8080",
		"https://load.test/a/b/": "https://load.test/a/b",
		"load.test":              "", "ftp://load.test": "", "https://me@load.test": "", "https://load.test/?x": "",
		"https://load.test/#x": "", "https://load.test/a/../b": "",
		"https://load.test/a b": "", "https:///a": "", "https://load.test/api": "", "https://load.test/docs/x": "",
		"https://load.test//a": "",
	} {
		s, problems := settings.Parse(map[string]string{"PUBLIC_URL": address}, nil)
		public := s.Public()
		if refused := problems.Err() != nil; refused != (want == "") || !refused && public.String() != want {
			t.Errorf("%s: %q, %v", address, public.String(), problems)
		}
	}
}

func TestEverySettingIsExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range settings.Fields() {
		if f.Key == "" || f.Help == "" || seen[f.Key] {
			t.Errorf("%+v", f)
		}
		seen[f.Key] = true
	}
}

func TestAnAPIKeyHasAForm(t *testing.T) {
	t.Parallel()
	const good = "0123456789abcdef"
	for key, want := range map[string]string{
		good:                              "",
		"change-me-in-production":         "CONTROL_UI_API_KEY: is a publicly known example key",
		"your-secret-api-key-change-this": "CONTROL_UI_API_KEY: is a publicly known example key",
		good + "\u200bx":                  "CONTROL_UI_API_KEY: has a zero-width space (U+200B) at position 17",
		good + "\n" + good: "CONTROL_UI_API_KEY: has a space or a line break, which no " +
			"request can carry",
		good + " " + good: "CONTROL_UI_API_KEY: has a space or a line break, which no " +
			"request can carry",
		good + "é": "CONTROL_UI_API_KEY: has other characters than ASCII, which no " +
			"request can carry",
		`"` + good + `"`:            "CONTROL_UI_API_KEY: is in quotes",
		strings.Repeat(good, 3<<16): "CONTROL_UI_API_KEY: has 3145728 characters, more than 256",
	} {
		_, problems := settings.Parse(map[string]string{"CONTROL_UI_API_KEY": key}, nil)
		got := ""
		if err := problems.Err(); err != nil {
			got, _, _ = strings.Cut(err.Error(), ";")
		}
		if got != want || strings.Contains(problems.Error(), good) {
			t.Errorf("%.40q: %q, want %q", key, problems, want)
		}
	}
	read := files(map[string]string{"/key": "\ufeff" + good + "\r\n"})
	if s, problems := settings.Parse(map[string]string{"CONTROL_UI_API_KEY_FILE": "/key"}, read); problems != nil ||
		s.APIKey.Reveal() != good {
		t.Errorf("from Windows: %v", problems)
	}
}

func TestATrustedProxyThatIsEverybodyIsWarnedOf(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{"0.0.0.0/0": 1, "10.0.0.1,::/0": 1, "10.0.0.0/8": 0} {
		_, problems := settings.Parse(map[string]string{"TRUSTED_PROXIES": value}, nil)
		if got := problems.Warnings(); len(got) != want || problems.Err() != nil {
			t.Errorf("%s: %v", value, problems)
		}
	}
}
