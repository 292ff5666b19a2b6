// Package settings has the controller's own settings: names, defaults, rules and help. Those of the loadgen are in
// shared/spec. It only opens files of secrets.
package settings

import (
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Settings are what a controller is started with. A setting is declared here and nowhere else.
//
// Tags: env and envDefault as in caarlos0/env; help for people; unit; min and max are inclusive bounds; oneof lists the
// permitted words; secret keeps the value out of every output and gives the setting a _FILE form.
type Settings struct {
	ListenAddr     string        `env:"LISTEN_ADDR" envDefault:"127.0.0.1:8000" help:"Listen address of the API and the web interface, host:port."`
	PublicURL      string        `env:"PUBLIC_URL" help:"URL at which users reach the controller, used in links, for example https://load.example.test or https://host.example.test/path. Its host is allowed implicitly. Default: LISTEN_ADDR."`
	DataDir        string        `env:"DATA_DIR" envDefault:"./data" help:"Folder of controller/ (database and keys), exchange/ and state/."`
	ExchangeDir    string        `env:"EXCHANGE_DIR" help:"Folder through which the loadgen receives its files. Default: exchange in DATA_DIR."`
	StateDir       string        `env:"STATE_DIR" help:"Folder of the loadgen's ledgers. Default: state in DATA_DIR."`
	DBPath         string        `env:"CONFIG_DB_PATH" help:"Database file. Default: controller/trafficinator.db in DATA_DIR."`
	PresetsDir     string        `env:"PRESETS_DIR" envDefault:"./presets" help:"Folder of the built-in presets, one .env.NAME file each. Without it, there are none."`
	SecretKeyPath  string        `env:"SECRET_KEY_FILE" help:"File of the key that encrypts secrets in the database: 32 bytes as 64 hex digits. Default: controller/secret-key in DATA_DIR, created at first start."`
	APIKey         secret.String `env:"CONTROL_UI_API_KEY" secret:"true" help:"API key, at least 16 characters. Default: the key in controller/api-key of DATA_DIR, created at first start."`
	AllowedHosts   []string      `env:"ALLOWED_HOSTS" envDefault:"localhost,127.0.0.1,[::1]" help:"Host names that requests may use, without port, comma-separated. Names of this machine are always allowed."`
	CORSOrigins    []string      `env:"CORS_ORIGINS" help:"Other origins that may call the API, as https://host, comma-separated."`
	TrustedProxies []string      `env:"TRUSTED_PROXIES" help:"IP addresses or networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto headers are trusted, comma-separated."`
	RateLimit      int           `env:"RATE_LIMIT_PER_MINUTE" envDefault:"1200" min:"1" max:"1000000" unit:"requests/min" help:"Maximum number of requests per API key or session."`

	Runtime       string `env:"RUNTIME" envDefault:"auto" oneof:"auto,docker,process" help:"How to run the loadgen: in a container or as a local process. auto: docker if an engine responds, else process."`
	LoadgenBin    string `env:"LOADGEN_BIN" envDefault:"./bin/loadgen" help:"Path of the loadgen binary (process runtime)."`
	LoadgenImage  string `env:"LOADGEN_IMAGE" envDefault:"trafficinator-loadgen:local" help:"Loadgen image (docker runtime)."`
	LoadgenName   string `env:"LOADGEN_CONTAINER" envDefault:"matomo-loadgen" help:"Name of the loadgen container (docker runtime)."`
	Stack         string `env:"COMPOSE_PROJECT_NAME" envDefault:"trafficinator" help:"Compose project of the loadgen container (docker runtime)."`
	LoadgenMemory string `env:"LOADGEN_MEMORY" envDefault:"2g" help:"Memory limit of loadgen containers, for example 512m or 2g; 0 = no limit (docker runtime)."`

	DockerHost      string `env:"DOCKER_HOST" help:"Docker engine endpoint, unix:///path or tcp://host:port. Default: the endpoint of the Docker context, else the first socket that responds of Docker, rootless Docker and Podman."`
	DockerContext   string `env:"DOCKER_CONTEXT" help:"Docker context to use. Default: the current context of the Docker CLI."`
	DockerConfig    string `env:"DOCKER_CONFIG" help:"Folder of the Docker CLI's config.json and contexts. Default: .docker in HOME."`
	DockerTLSVerify string `env:"DOCKER_TLS_VERIFY" help:"Any value: connect to DOCKER_HOST with TLS and verify its certificate."`
	DockerCertPath  string `env:"DOCKER_CERT_PATH" help:"Folder of ca.pem, cert.pem and key.pem for DOCKER_HOST. Default: DOCKER_CONFIG if DOCKER_TLS_VERIFY is set."`

	LogLevel  string `env:"LOG_LEVEL" envDefault:"INFO" oneof:"DEBUG,INFO,WARNING,ERROR" help:"Minimum level to log."`
	LogFormat string `env:"LOG_FORMAT" envDefault:"text" oneof:"text,json" help:"Format of log lines."`
}

// ControllerDir is the folder that only the controller may read.
func (s Settings) ControllerDir() string { return filepath.Join(s.DataDir, "controller") }

// APIKeyPath is the path of the generated API key.
func (s Settings) APIKeyPath() string { return filepath.Join(s.ControllerDir(), "api-key") }

// Public returns PUBLIC_URL without its final slash, empty if it is not set.
func (s Settings) Public() url.URL {
	if u, err := url.Parse(s.PublicURL); err == nil { // check has refused others
		return *u
	}
	return url.URL{}
}

// derive sets the default paths in DATA_DIR.
func (s *Settings) derive() {
	within := func(path *string, elements ...string) {
		if *path == "" {
			*path = filepath.Join(append([]string{s.DataDir}, elements...)...)
		}
	}
	within(&s.ExchangeDir, "exchange")
	within(&s.StateDir, "state")
	within(&s.DBPath, "controller", "trafficinator.db")
	within(&s.SecretKeyPath, "controller", "secret-key")
}

// FileSuffix is appended to a secret's key to name the file with its value.
const FileSuffix = envspec.FileSuffix

// Fields are all settings in the order of their declaration.
func Fields() []envspec.Field { return envspec.Fields[Settings]() }

// Parse reads the settings from environ and reports all problems at once. An empty value means the default; other keys
// of the environment are ignored. read reads secrets given by file.
func Parse(environ map[string]string, read envspec.ReadFile) (Settings, problem.List) {
	var problems problem.List
	var s Settings
	envspec.Parse(&s, environ, read, &problems)
	if key := "CONTROL_UI_API_KEY"; envspec.Unquoted(environ, key+FileSuffix) != "" && s.APIKey == "" &&
		problems.Err() == nil {
		problems.Refuse(key+FileSuffix, "", "names an empty file", "write the secret into it, or unset the setting")
	}
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		if spec.IsObsolete(key) && environ[key] != "" {
			problems.Warn(key, environ[key], "has no effect",
				"remove it; docs/from-the-original.md lists its replacement")
		}
	}
	s.check(&problems)
	s.derive()
	return s, problems
}
