// Package target owns targets.json and MULTI_TARGET_CONFIG: the Matomo sites that get the traffic and how it is
// dealt out. It contacts nobody.
package target

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

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
type Target struct {
	Name string
	// URL is that of the tracker itself, matomo.php or piwik.php.
	URL    string
	SiteID int
	Token  secret.String
	// ReadToken is for the Reporting API where that is not to be Token; the loadgen never gets it.
	ReadToken secret.String
	// Weight is 1..100.
	Weight  int
	Enabled bool
}

// Set is the content of targets.json.
type Set struct {
	Targets  []Target
	Strategy Strategy
}

// Reader is the token that the Reporting API is asked with.
func (t Target) Reader() secret.String {
	if t.ReadToken != "" {
		return t.ReadToken
	}
	return t.Token
}

// API is the address of the Reporting API, which lies in the folder of the tracker. Trackers of one Matomo have the same,
// however their addresses are written: scheme and host are in lower case, and the port is left out where it is the
// scheme's own. It is "" where URL is no address.
func (t Target) API() string {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	u.Path = path.Join("/", path.Dir(u.Path), "index.php")
	return u.String()
}

const maxName, maxWeight = 100, 100

// Decode reads targets.json or MULTI_TARGET_CONFIG; name is what problems call it.
func Decode(name string, data []byte) (Set, problem.List) {
	d := strictjson.Parse(name, data)
	s := Set{Strategy: RoundRobin}
	if d.Root == nil || !d.Root.Object("targets", "distribution_strategy") {
		return s, d.Problems
	}
	if raw := d.Root.Text("distribution_strategy"); raw != "" {
		s.Strategy = Strategy(raw)
		if s.Strategy != RoundRobin && s.Strategy != Weighted && s.Strategy != Random {
			d.Root.Refuse("distribution_strategy", raw, "is not a strategy", "use round-robin, weighted or random")
		}
	}
	names := map[string]bool{}
	enabled := 0
	for _, v := range d.Root.List("targets") {
		if !v.Object("name", "url", "site_id", "token_auth", "read_token", "weight", "enabled") {
			continue
		}
		t := decode(v)
		if key := strings.ToLower(t.Name); key != "" && names[key] {
			v.Refuse("name", t.Name, "is the name of another target too", "give each its own")
		} else {
			names[key] = true
		}
		if t.Enabled {
			enabled++
		}
		s.Targets = append(s.Targets, t)
	}
	if enabled == 0 {
		d.Root.Refuse("targets", "", "holds no enabled target", "add one or enable one")
	}
	return s, d.Problems
}

func decode(v *strictjson.Value) Target {
	t := Target{
		Name: v.Text("name"), URL: v.Text("url"), Token: v.Secret("token_auth"), ReadToken: v.Secret("read_token"), SiteID: 1, Weight: 1,
		Enabled: v.Flag("enabled", true),
	}
	if n := utf8.RuneCountInString(t.Name); strings.TrimSpace(t.Name) == "" || n > maxName {
		v.Refuse("name", t.Name, "is empty or longer than 100 characters", "give a short name")
	}
	if id := v.Whole("site_id"); id != nil {
		if t.SiteID = *id; *id < 1 {
			v.Refuse("site_id", fmt.Sprint(*id), "is below 1", "give the number of the site in Matomo")
		}
	} else if v.Get("site_id") == nil {
		v.Refuse("site_id", "", "is missing", "give the number of the site in Matomo")
	}
	if w := v.Whole("weight"); w != nil {
		if t.Weight = *w; *w < 1 || *w > maxWeight {
			v.Refuse("weight", fmt.Sprint(*w), "is not between 1 and 100", "give a weight in that range")
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
	t.URL = withTracker(t.URL)
	if err := CheckURL(t.URL); err != nil {
		v.Refuse("url", Shown(v.Text("url")), err.Error(), "write https://host/matomo.php")
	}
	return t
}

// withTracker completes the address of a Matomo as the original does for several targets.
func withTracker(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.HasSuffix(u.Path, ".php") || u.RawQuery != "" || u.Fragment != "" {
		return raw
	}
	return strings.TrimSuffix(raw, "/") + "/matomo.php"
}

// CheckURL says what is wrong with the address of a tracker. It has http or https, a host, and a path that ends in
// .php, because hits sent to a home page answer 200 and are lost.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("is not an http or https address")
	case u.User != nil:
		return errors.New("holds a user name or password")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("has a query or fragment")
	case !strings.HasSuffix(u.Path, ".php"):
		return errors.New("names no tracker such as matomo.php")
	}
	return nil
}

// Shown is an address as a problem may show it: without what could be a password or a token.
func Shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	if u.User != nil {
		u.User = url.User("xxxxx")
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}

// wire is a target as it is written.
type wire struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	SiteID  int    `json:"site_id"`
	Token   string `json:"token_auth"`
	Weight  int    `json:"weight"`
	Enabled bool   `json:"enabled"`
}

// Encode writes the set as targets.json, tokens for tracking included: the file is for the loadgen alone.
func Encode(s Set) ([]byte, error) {
	list := make([]wire, len(s.Targets))
	for i, t := range s.Targets {
		list[i] = wire{t.Name, t.URL, t.SiteID, t.Token.Reveal(), t.Weight, t.Enabled}
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
