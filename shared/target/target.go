// Package target owns targets.json and MULTI_TARGET_CONFIG: the Matomo sites that get the traffic and how it is
// dealt out. It contacts nobody.
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

// SingleName is what the target is called that MATOMO_* name.
const SingleName = "matomo"

// MaxAgeWithoutToken is how old a hit may be that Matomo takes without a token
// (tracking_requests_require_authentication_when_custom_timestamp_newer_than of config/global.ini.php).
const MaxAgeWithoutToken = 24 * time.Hour

// Strategy is how visits are dealt out.
type Strategy string

// The strategies.
const (
	// RoundRobin takes the targets in turn, whatever their weight.
	RoundRobin Strategy = "round-robin"
	// Weighted draws in proportion to the weights.
	Weighted Strategy = "weighted"
	// Random draws evenly.
	Random Strategy = "random"
)

// Target is one site of one Matomo.
//
// As JSON its secrets are masked; Encode writes targets.json.
type Target struct {
	Name string `json:"name"`
	// URL is that of the tracker itself, as a rule matomo.php or piwik.php.
	URL    string        `json:"url"`
	SiteID int           `json:"site_id"`
	Token  secret.String `json:"token_auth"`
	// ReadToken is for the Reporting API where that is not to be Token; the loadgen never gets it.
	ReadToken secret.String `json:"read_token"`
	// Weight is 1..100.
	Weight  int  `json:"weight"`
	Enabled bool `json:"enabled"`
	Access
}

// Set is the content of targets.json.
type Set struct {
	Targets  []Target
	Strategy Strategy
}

// APIToken is the token that the Reporting API is asked with.
func (t Target) APIToken() secret.String {
	if t.ReadToken != "" {
		return t.ReadToken
	}
	return t.Token
}

const maxName, maxWeight = 100, 100

// fields are the keys of a target.
var fields = []string{
	"name", "url", "site_id", "token_auth", "read_token", "weight", "enabled",
	"api_url", "http_auth", "headers", "tls_ca_file", "tls_cert_file", "tls_key_file", "proxy_url",
}

// Decode reads targets.json or MULTI_TARGET_CONFIG; name is what problems call it.
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
	enabled := 0
	for _, v := range d.Root.List("targets") {
		if !v.Object(fields...) {
			continue
		}
		t := decode(v)
		if key := strings.ToLower(t.Name); key != "" && names[key] {
			v.Refuse("name", t.Name, "is used by another target", "choose a unique name")
		} else {
			names[key] = true
		}
		if t.Enabled {
			enabled++
		}
		s.Targets = append(s.Targets, t)
	}
	if enabled == 0 {
		d.Root.Refuse("targets", "", "has no enabled target", "add or enable one")
	}
	return s, d.Problems
}

func decode(v *strictjson.Value) Target {
	t := Target{
		Name: v.String("name"), URL: v.String("url"), Token: v.Secret("token_auth"), ReadToken: v.Secret("read_token"),
		SiteID: 1, Weight: 1,
		Enabled: v.Bool("enabled", true),
		Access: Access{
			APIURL: v.String("api_url"), HTTPAuth: v.Secret("http_auth"), Headers: v.Secret("headers"),
			CAFile: v.String("tls_ca_file"), CertFile: v.String("tls_cert_file"), KeyFile: v.String("tls_key_file"),
			Proxy: v.Secret("proxy_url"),
		},
	}
	if n := utf8.RuneCountInString(t.Name); strings.TrimSpace(t.Name) == "" || n > maxName {
		v.Refuse("name", t.Name, "is empty or longer than 100 characters", "choose a shorter name")
	}
	if id := v.Int("site_id"); id != nil {
		if t.SiteID = *id; *id < 1 {
			v.Refuse("site_id", fmt.Sprint(*id), "is below 1", "enter the site's ID in Matomo")
		}
	} else if v.Get("site_id") == nil {
		v.Refuse("site_id", "", "is missing", "enter the site's ID in Matomo")
	}
	if w := v.Int("weight"); w != nil {
		if t.Weight = *w; *w < 1 || *w > maxWeight {
			v.Refuse("weight", fmt.Sprint(*w), "is not between 1 and 100", "use a weight in that range")
		}
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
	return t
}

// Check brings the addresses and the access of t into their usual form: an address is completed, user and password in
// it become HTTPAuth. What is wrong is given to refuse, with the field as targets.json names it and what of its value
// may be shown.
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

// wire is a target as it is written.
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

// Encode writes the set as targets.json, with its secrets, ReadToken apart: the file is for the loadgen alone.
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
