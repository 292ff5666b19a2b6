package spec

import "slices"

// stack are names that the compose files read, or the controller, and that therefore stand in the same .env as the
// knobs. Tests compare them with both.
var stack = []string{
	"TRAFFICINATOR_UID", "TRAFFICINATOR_GID", "DOCKER_GID", "DOCKER_SOCKET", "DOCKER_HOST", "CONTROLLER_DOCKER_HOST",
	"COMPOSE_PROJECT_NAME", "BUILD", "CONTROLLER_IMAGE", "LOADGEN_IMAGE", "LOADGEN_CONTAINER", "LOADGEN_BIN", "RUNTIME",
	"CONTROLLER_PORT", "CONTROL_UI_PORT", "CONTROL_UI_API_KEY", "CONTROL_UI_API_KEY_FILE", "PUBLIC_URL",
	"ALLOWED_HOSTS", "CORS_ORIGINS", "TRUSTED_PROXIES", "RATE_LIMIT_PER_MINUTE", "LISTEN_ADDR", "DATA_DIR",
	"CONFIG_DB_PATH", "PRESETS_DIR", "SECRET_KEY_FILE", "LOADGEN_MEMORY", "CONTROLLER_MEMORY", "RESTART_POLICY",
	"VERSION", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "HTTP_PROXY", "HTTPS_PROXY",
	"NO_PROXY",
}

// IsStackSetting tells whether key is a name of the compose stack or the controller: no knob, and ignored where knobs are
// read.
func IsStackSetting(key string) bool { return slices.Contains(stack, key) }
