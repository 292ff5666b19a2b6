// Package settings owns the controller's own settings: their names, defaults, rules and help. It knows nothing of the
// loadgen's knobs (shared/spec does) and opens nothing but the files that hold secrets.
package settings

import (
	"net/url"
	"path/filepath"

	"github.com/puttrix/trafficinator/shared/secret"
)

// Settings are what a controller is started with. A setting is declared here and nowhere else.
//
// Tags: env and envDefault as in caarlos0/env; help for people; unit; min and max are inclusive bounds; oneof lists the
// permitted words; secret keeps the value out of every output and gives the setting a _FILE form.
type Settings struct {
	ListenAddr     string        `env:"LISTEN_ADDR" envDefault:"127.0.0.1:8000" help:"Where the API and the user interface listen, as host:port."`
	PublicURL      string        `env:"PUBLIC_URL" help:"Address at which people open the controller, for links, such as https://load.example.test or https://host.example.test/path. Its host need not stand in ALLOWED_HOSTS. Unset: LISTEN_ADDR."`
	DataDir        string        `env:"DATA_DIR" envDefault:"./data" help:"Folder of controller/ (database and keys), exchange/ and state/."`
	ExchangeDir    string        `env:"EXCHANGE_DIR" help:"Folder through which the loadgen gets its files. Unset: exchange in DATA_DIR."`
	StateDir       string        `env:"STATE_DIR" help:"Folder where the loadgen keeps its ledgers. Unset: state in DATA_DIR."`
	DBPath         string        `env:"CONFIG_DB_PATH" help:"The database. Unset: controller/trafficinator.db in DATA_DIR."`
	PresetsDir     string        `env:"PRESETS_DIR" envDefault:"./presets" help:"Folder of the built-in presets, each a file .env.NAME. Where it is missing there are none."`
	SecretKeyPath  string        `env:"SECRET_KEY_FILE" help:"File of the key that encrypts the secrets in the database: 32 bytes as 64 hex digits. Unset: controller/secret-key in DATA_DIR, made at the first start."`
	APIKey         secret.String `env:"CONTROL_UI_API_KEY" secret:"true" help:"Key of the API, at least 16 characters. Unset: the one in controller/api-key of DATA_DIR, made at the first start."`
	AllowedHosts   []string      `env:"ALLOWED_HOSTS" envDefault:"localhost,127.0.0.1,[::1]" help:"Names under which the controller may be called, without port, separated by commas. Those of this machine always may."`
	CORSOrigins    []string      `env:"CORS_ORIGINS" help:"Other origins whose pages may call the API, as https://host, separated by commas."`
	TrustedProxies []string      `env:"TRUSTED_PROXIES" help:"Addresses or networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas."`
	RateLimit      int           `env:"RATE_LIMIT_PER_MINUTE" envDefault:"1200" min:"1" max:"1000000" unit:"requests/min" help:"Most requests of one key or session."`

	Runtime       string `env:"RUNTIME" envDefault:"auto" oneof:"auto,docker,process" help:"How the loadgen runs: as a container, or as a process of this machine. auto: docker if its engine answers."`
	LoadgenBin    string `env:"LOADGEN_BIN" envDefault:"./bin/loadgen" help:"The loadgen's program (process runtime)."`
	LoadgenImage  string `env:"LOADGEN_IMAGE" envDefault:"trafficinator-loadgen:local" help:"The loadgen's image (docker runtime)."`
	LoadgenName   string `env:"LOADGEN_CONTAINER" envDefault:"matomo-loadgen" help:"Name of the loadgen's container (docker runtime)."`
	Stack         string `env:"COMPOSE_PROJECT_NAME" envDefault:"trafficinator" help:"Compose project to which the loadgen's container belongs (docker runtime)."`
	LoadgenMemory string `env:"LOADGEN_MEMORY" envDefault:"2g" help:"Most memory of a container that the controller makes, as 512m or 2g; 0 is no limit (docker runtime)."`

	DockerHost      string `env:"DOCKER_HOST" help:"Address of the Docker engine, as unix:///path or tcp://host:port. Unset: that of the Docker context, else the first socket that answers of Docker, rootless Docker and Podman."`
	DockerContext   string `env:"DOCKER_CONTEXT" help:"Docker context whose engine is used. Unset: the current one of the Docker command."`
	DockerConfig    string `env:"DOCKER_CONFIG" help:"Folder of the Docker command's config.json and contexts. Unset: .docker in HOME."`
	DockerTLSVerify string `env:"DOCKER_TLS_VERIFY" help:"Set to any value: the engine at DOCKER_HOST is reached by TLS, and its certificate is verified."`
	DockerCertPath  string `env:"DOCKER_CERT_PATH" help:"Folder of ca.pem, cert.pem and key.pem for the engine at DOCKER_HOST. Unset: DOCKER_CONFIG where DOCKER_TLS_VERIFY is set."`

	LogLevel  string `env:"LOG_LEVEL" envDefault:"INFO" oneof:"DEBUG,INFO,WARNING,ERROR" help:"Least level that is logged."`
	LogFormat string `env:"LOG_FORMAT" envDefault:"text" oneof:"text,json" help:"Form of the log."`
}

// ControllerDir is the folder that only the controller may read.
func (s Settings) ControllerDir() string { return filepath.Join(s.DataDir, "controller") }

// APIKeyPath is where the API key is kept that the controller made itself.
func (s Settings) APIKeyPath() string { return filepath.Join(s.ControllerDir(), "api-key") }

// Public is the address in PUBLIC_URL, without a slash at its end; empty where there is none.
func (s Settings) Public() url.URL {
	if u, err := url.Parse(s.PublicURL); err == nil { // check has refused others
		return *u
	}
	return url.URL{}
}

// derive fills in the paths that lie in DATA_DIR unless told.
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
