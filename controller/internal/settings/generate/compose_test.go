package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/spec"
)

// ofTheImage are settings whose value the image or the stack fixes.
var ofTheImage = []string{
	"LISTEN_ADDR", "DATA_DIR", "EXCHANGE_DIR", "STATE_DIR", "CONFIG_DB_PATH", "PRESETS_DIR", "SECRET_KEY_FILE",
	"RUNTIME", "LOADGEN_BIN",
	"DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", // the stack has the engine's socket
}

func TestTheStackHandsOnEverySetting(t *testing.T) {
	t.Parallel()
	_, service, _ := strings.Cut(read(t, "docker-compose.webui.yml"), "\n  controller:")
	service, _, _ = strings.Cut(service, "\n  loadgen:")
	_, environment, _ := strings.Cut(service, "    environment:\n")
	handed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^      ([A-Z_]+):`).FindAllStringSubmatch(environment, -1) {
		handed[m[1]] = true
	}
	known := map[string]bool{}
	for _, f := range settings.Fields() {
		key := f.Key
		if f.Secret {
			key += settings.FileSuffix // never in the environment itself
		}
		known[key] = true
		if !handed[key] && !slices.Contains(ofTheImage, key) {
			t.Errorf("docker-compose.webui.yml does not hand on %s", key)
		}
	}
	for key := range handed {
		if !known[key] {
			t.Errorf("docker-compose.webui.yml sets %s, which is no setting", key)
		}
	}
}

func TestEveryNameOfTheStackIsKnownWhereKnobsAreRead(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"docker-compose.yml", "docker-compose.webui.yml"} {
		for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)`).FindAllStringSubmatch(read(t, file), -1) {
			if !spec.IsKnown(m[1]) {
				t.Errorf("%s reads %s, which a preset or a checked env file may then not hold; add it "+
					"to stack in shared/spec/fields.go", file, m[1])
			}
		}
	}
	for _, f := range settings.Fields() {
		if !spec.IsKnown(f.Key) {
			t.Errorf("the controller reads %s; add it to stack in shared/spec/fields.go", f.Key)
		}
	}
}

func TestTheExampleListsAllThatTheStackReads(t *testing.T) {
	t.Parallel()
	example, stack := read(t, ".env.example"), read(t, "docker-compose.webui.yml")
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)(?::-([^${}]*))?`).FindAllStringSubmatch(stack, -1) {
		line := "\n#" + m[1] + "="
		if !strings.Contains(example, line) {
			t.Errorf(".env.example lacks %s", m[1])
		}
		if m[2] != "" && !strings.Contains(example, line+m[2]) {
			t.Errorf(".env.example has another default of %s than %s", m[1], m[2])
		}
	}
}
