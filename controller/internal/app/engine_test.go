package app_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/app"
)

func TestTheStatusSaysWhyThereAreNoContainers(t *testing.T) {
	c := prepare(t, t.TempDir())
	c.host.Env["RUNTIME"], c.host.Env["DOCKER_HOST"] = "auto", "ssh://lab.example.test"
	c.begin()
	st := c.must(200, "GET", "/api/status", "")
	const want = "RUNTIME=auto, and no container can be used: the engine at ssh://lab.example.test, from DOCKER_HOST: the engine is on another machine"
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
		if code := app.Serve(t.Context(), c.host); code != app.BadInput || !strings.Contains(c.logs.String(), "RUNTIME=docker") {
			t.Errorf("%s: exit code %d, %s", value, code, c.logs.String())
		}
	}
}
