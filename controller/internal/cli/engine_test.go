package cli_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

func TestTheStatusSaysWhyThereAreNoContainers(t *testing.T) {
	c := prepare(t, t.TempDir())
	c.host.Env["RUNTIME"], c.host.Env["DOCKER_HOST"] = "auto", "ssh://lab.example.test"
	c.begin()
	st := c.must(200, "GET", "/api/status", "")
	const want = "RUNTIME=auto: containers are not available: the engine at ssh://lab.example.test, from " +
		"DOCKER_HOST: the engine is on another machine"
	if st["runtime"] != "process" || !strings.HasPrefix(st["runtime_reason"].(string), want) {
		t.Errorf("%v: %v", st["runtime"], st["runtime_reason"])
	}
	if !strings.Contains(c.logs.String(), want) {
		t.Errorf("the log says %s", c.logs.String())
	}
}

func TestAnEngineThatIsOfNoUseIsRefusedWhereOneIsAskedFor(t *testing.T) {
	for variable, value := range map[string]string{"DOCKER_HOST": "ssh://lab.example.test", "DOCKER_CONTEXT": "gone"} {
		c := prepare(t, t.TempDir())
		c.host.Env["RUNTIME"], c.host.Env[variable] = "docker", value
		if code := cli.Run(t.Context(), []string{"serve"}, c.host); code != exitcode.BadConfig ||
			!strings.Contains(c.logs.String(), "RUNTIME=docker") {
			t.Errorf("%s: exit code %d, %s", value, code, c.logs.String())
		}
	}
}

// Its own questions would pass where the hits of the loadgen do not.
func TestWaysOfTheControllerAloneAreSaid(t *testing.T) {
	c := prepare(t, t.TempDir())
	c.host.Env["RUNTIME"], c.host.Env["DOCKER_HOST"] = "docker", "unix://"+t.TempDir()+"/none.sock"
	c.host.Env["SSL_CERT_FILE"], c.host.Env["https_proxy"] = "/ca.pem", "http://user:hush@proxy.test:3128"
	c.begin()
	logs := c.logs.String()
	for _, want := range []string{"variable=SSL_CERT_FILE set=TLS_CA_FILE", "variable=https_proxy set=PROXY_URL"} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log lacks %q:\n%s", want, logs)
		}
	}
	if strings.Contains(logs, "hush") {
		t.Error("the log holds the proxy's password")
	}
}

// The original's controller took them over; who comes from it, or mixes the two programs up, looks for them in vain.
func TestSettingsOfRunsInTheEnvironmentOfTheControllerAreNamed(t *testing.T) {
	c := prepare(t, t.TempDir())
	c.host.Env["MATOMO_URL"], c.host.Env["MATOMO_TOKEN_AUTH"] = "https://me:hush@matomo.test/", "hush"
	c.host.Env["MATOMO_HEADERS_FILE"], c.host.Env["CONCURRENCY"], c.host.Env["LOG_FORMAT"] = "/hush", "", "text"
	c.begin()
	logs := c.logs.String()
	if !strings.Contains(logs, `no effect on the controller; save them in the interface or by PATCH /api/config" `+
		`variables="MATOMO_HEADERS_FILE MATOMO_TOKEN_AUTH MATOMO_URL"`) {
		t.Errorf("the settings are not named:\n%s", logs)
	}
	if strings.Contains(logs, "hush") {
		t.Error("the log holds a secret")
	}
}
