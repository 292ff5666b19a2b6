// Package target owns targets.json and MULTI_TARGET_CONFIG: the Matomo sites that receive the traffic and how visits
// are distributed over them. It makes no connections.
package target

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

// SingleName is the name of the target of MATOMO_*.
const SingleName = "matomo"

// MaxAgeWithoutToken is the maximum age of a hit that Matomo accepts without a token
// (tracking_requests_require_authentication_when_custom_timestamp_newer_than of config/global.ini.php).
const MaxAgeWithoutToken = 24 * time.Hour

// Strategy is how visits are distributed.
type Strategy string

// The strategies.
const (
	RoundRobin Strategy = "round-robin" // in turn, without weights
	Weighted   Strategy = "weighted"    // at random, in proportion to the weights
	Random     Strategy = "random"      // at random, evenly
)

// Target is one site of one Matomo. As JSON its secrets are masked; Encode writes targets.json.
type Target struct {
	Name      string        `json:"name"`
	URL       string        `json:"url"` // the tracker's, usually matomo.php or piwik.php.
	SiteID    int           `json:"site_id"`
	Token     secret.String `json:"token_auth"`
	ReadToken secret.String `json:"read_token"` // for the Reporting API, if not Token; the loadgen never gets it
	Weight    int           `json:"weight"`     // 1..100.
	Enabled   bool          `json:"enabled"`
	Access
}

// Set is the content of targets.json.
type Set struct {
	Targets  []Target
	Strategy Strategy
}

// APIToken returns the token for the Reporting API.
func (t Target) APIToken() secret.String { return cmp.Or(t.ReadToken, t.Token) }

const maxName, maxWeight = 100, 100

// Decode reads targets.json or MULTI_TARGET_CONFIG; name is its name in problems.
func Decode(name string, data []byte) (Set, problem.List) {
	d := strictjson.Parse(name, data)
	s := Set{Strategy: RoundRobin}
	if d.Root == nil || !d.Root.Object("targets", "distribution_strategy") {
		return s, d.Problems
	}
	if raw := d.Root.String("distribution_strategy"); raw != "" {
		s.Strategy = Strategy(raw)
		if s.Strategy != RoundRobin && s.Strategy != Weighted && s.Strategy != Random {
			d.Root.Refuse("distribution_strategy", raw, "is not a distribution strategy",
				"use round-robin, weighted or random")
		}
	}
	names := map[string]bool{}
	enabled := false
	for _, v := range d.Root.List("targets") {
		t := Target{SiteID: 1, Weight: 1, Enabled: true}
		if !v.Into(&t) {
			continue
		}
		t.checkFile(v)
		if key := strings.ToLower(t.Name); key != "" && names[key] {
			v.Refuse("name", t.Name, "is used by another target", "choose a unique name")
		} else {
			names[key] = true
		}
		enabled = enabled || t.Enabled
		s.Targets = append(s.Targets, t)
	}
	if !enabled {
		d.Root.Refuse("targets", "", "has no enabled target", "add or enable one")
	}
	return s, d.Problems
}

func (t *Target) checkFile(v *strictjson.Value) {
	if n := utf8.RuneCountInString(t.Name); strings.TrimSpace(t.Name) == "" || n > maxName {
		v.Refuse("name", t.Name, "is empty or longer than 100 characters", "choose a shorter name")
	}
	const cure = "enter the site's ID in Matomo"
	if v.Get("site_id") == nil {
		v.Refuse("site_id", "", "is missing", cure)
	} else if t.SiteID < 1 {
		v.Refuse("site_id", fmt.Sprint(t.SiteID), "is below 1", cure)
	}
	if t.Weight < 1 || t.Weight > maxWeight {
		v.Refuse("weight", fmt.Sprint(t.Weight), "is not between 1 and 100", "use a weight in that range")
	}
	for _, token := range []struct {
		key   string
		value secret.String
	}{{"token_auth", t.Token}, {"read_token", t.ReadToken}} {
		if err := secret.CheckToken(token.value); err != nil {
			v.Refuse(token.key, "", err.Error(), secret.TokenCure)
		}
	}
	t.Check(v.Refuse)
}

// Check normalises URLs and access: a URL is completed, user and password in it move to HTTPAuth. It reports problems
// to refuse, with the field as in targets.json and the part of its value that may be shown.
func (t *Target) Check(refuse func(field, shown, message, cure string)) {
	given := t.URL
	completed, auth, err := complete(given)
	switch {
	case err != nil:
		refuse("url", Redact(given), err.Error(), "write https://host/matomo.php")
	case auth != "" && t.HTTPAuth != "" && t.HTTPAuth != auth:
		refuse("url", Redact(given), "contains a user and password that differ from http_auth", "keep only one")
	default:
		t.URL, t.HTTPAuth = completed, cmp.Or(t.HTTPAuth, auth)
	}
	t.check(refuse)
}

// wire is a target of targets.json with its secrets, without ReadToken: the file is for the loadgen.
type wire struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	SiteID  int    `json:"site_id"`
	Token   string `json:"token_auth"`
	Weight  int    `json:"weight"`
	Enabled bool   `json:"enabled"`
	APIURL  string `json:"api_url,omitempty"`
	Auth    string `json:"http_auth,omitempty"`
	Headers string `json:"headers,omitempty"`
	CA      string `json:"tls_ca_file,omitempty"`
	Cert    string `json:"tls_cert_file,omitempty"`
	Key     string `json:"tls_key_file,omitempty"`
	Proxy   string `json:"proxy_url,omitempty"`
}

// Encode writes targets.json.
func Encode(s Set) ([]byte, error) {
	list := make([]wire, len(s.Targets))
	for i, t := range s.Targets {
		list[i] = wire{
			t.Name, t.URL, t.SiteID, t.Token.Reveal(), t.Weight, t.Enabled,
			t.APIURL, t.HTTPAuth.Reveal(), t.Headers.Reveal(), t.CAFile, t.CertFile, t.KeyFile, t.Proxy.Reveal(),
		}
	}
	data, err := strictjson.Encode(struct {
		Targets  []wire   `json:"targets"`
		Strategy Strategy `json:"distribution_strategy"`
	}{list, s.Strategy})
	if err != nil {
		return nil, fmt.Errorf("encode targets: %w", err)
	}
	return data, nil
}
