// Package stored owns what users save: configuration, presets, funnels, targets and lists. It knows neither the rules
// for them nor the database that keeps them.
package stored

import (
	"encoding/json"
	"time"

	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// Config is the saved configuration.
type Config struct {
	// Revision is 1 in a new database and grows with each change.
	Revision int64
	// Values and Secrets are settings by env key; an absent one has its default.
	Values  map[string]string
	Secrets map[string]secret.String
	Updated time.Time
}

// Target is a saved target.
type Target struct {
	ID int64 `json:"id"`
	target.Target
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

// Mode says where visits are sent.
type Mode string

// The modes.
const (
	// Single sends them to MATOMO_URL of the configuration.
	Single Mode = "single"
	// Multi sends them to the enabled targets.
	Multi Mode = "multi"
)

// Routing says how targets are used.
type Routing struct {
	Mode     Mode            `json:"mode"`
	Strategy target.Strategy `json:"distribution_strategy"`
}

// Funnel is a saved funnel.
type Funnel struct {
	ID int64
	funnel.Funnel
	Created, Updated time.Time
}

// Preset is a named set of settings, with targets if it was saved with them. It holds no secrets.
type Preset struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
	// Settings are values by env key.
	Settings map[string]string `json:"-"`
	// Targets are nil if loading the preset changes none.
	Targets *PresetTargets `json:"targets,omitempty"`
}

// PresetTargets are the targets of a preset and how they are used.
type PresetTargets struct {
	Routing
	Targets []PublicTarget `json:"targets"`
}

// PublicTarget is a target without its secrets, as presets and exports hold it. Missing fields have the defaults of
// targets.json.
type PublicTarget struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	SiteID   int    `json:"site_id"`
	Weight   int    `json:"weight" required:"false"`
	Enabled  bool   `json:"enabled" required:"false"`
	APIURL   string `json:"api_url,omitempty"`
	CAFile   string `json:"tls_ca_file,omitempty"`
	CertFile string `json:"tls_cert_file,omitempty"`
	KeyFile  string `json:"tls_key_file,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *PublicTarget) UnmarshalJSON(data []byte) error {
	type plain PublicTarget
	p := plain{Weight: 1, Enabled: true}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*t = PublicTarget(p)
	return nil
}

// Public returns t without its secrets.
func Public(t target.Target) PublicTarget {
	return PublicTarget{t.Name, t.URL, t.SiteID, t.Weight, t.Enabled, t.APIURL, t.CAFile, t.CertFile, t.KeyFile}
}

// List names a saved list. One that is not saved means the built-in one.
type List string

// The lists.
const (
	URLs   List = "urls"
	Events List = "events"
)

// Setup is a whole set-up. IDs of presets, funnels and targets are ignored.
type Setup struct {
	Config  Config
	Presets []Preset
	Funnels []Funnel
	// URLs and Events are nil for the built-in ones.
	URLs, Events []byte
	Targets      []Target
	Routing      Routing
}
