// Package visitor draws visitors: people with a consistent device, place, IP address and source. It does not depend on
// their visits, on HTTP, or on Matomo's parameters.
package visitor

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/weighted"
)

// Device is a device with its browser.
type Device struct {
	// Index is the position in Devices.
	Index int    `json:"-"`
	Name  string `json:"name"`
	// Type is desktop, smartphone or tablet.
	Type      string `json:"type"`
	UserAgent string `json:"user_agent"`
	// Hints are the client hints as matomo.js sends them (uadata), "" where the browser sends none.
	Hints       string   `json:"hints"`
	Resolutions []string `json:"resolutions"`
	// PDF is set if the browser displays PDF files.
	PDF    bool    `json:"pdf"`
	Weight float64 `json:"weight"`
}

// Place is where a visitor lives.
type Place struct {
	// Index is the position in Places.
	Index int
	// Country is ISO 3166-1 in lower case, Region the second part of ISO 3166-2.
	Country, Region, City string
	// Lat and Long are decimal degrees.
	Lat, Long string
	// Lang is an Accept-Language value.
	Lang     Text
	Zone     *time.Location
	networks *networks
}

// Networks returns the IP ranges of the place's country from which addresses are drawn.
func (p *Place) Networks() []netip.Prefix { return p.networks.prefixes }

// SourceType is the type of a Source, as Matomo names referrer types.
type SourceType string

// The types of a source.
const (
	Direct  SourceType = "direct"
	Search  SourceType = "search"
	Social  SourceType = "social"
	Website SourceType = "website"
	// Campaign follows from the URL of the first page and is never drawn.
	Campaign SourceType = "campaign"
)

// Text is a text with its encoding (application/x-www-form-urlencoded), which is kept because a text is sent many
// times.
type Text struct{ Plain, Form string }

// NewText encodes a text.
func NewText(plain string) Text { return Text{plain, url.QueryEscape(plain)} }

// Source is where a visitor came from; Referrer is empty for a direct visit.
type Source struct {
	Type     SourceType
	Referrer Text
}

// Visitor is a visitor with everything that Matomo learns about one.
type Visitor struct {
	Device     *Device
	Resolution string
	Place      *Place
	// IP is in a network of home users in the place's country.
	IP     netip.Addr
	Source Source
}

// Shares of search engines and social networks among visits that are not direct; the rest comes from websites. The
// ratios are those of the original tool, 0.35 : 0.15 : 0.20.
const searchShare, socialShare = 0.50, 0.21

// Draw draws a visitor. directShare, 0 to 1, is the share of direct visits.
func Draw(rng *rand.Rand, directShare float64) Visitor {
	v := Visitor{Device: &data.devices[data.deviceWeights.Draw(rng)], Place: &data.places[data.placeWeights.Draw(rng)]}
	v.Resolution = v.Device.Resolutions[rng.IntN(len(v.Device.Resolutions))]
	v.IP = v.Place.networks.draw(rng)
	v.Source = drawSource(rng, directShare)
	return v
}

// Devices returns all devices.
func Devices() []Device { return data.devices }

// Places returns all places.
func Places() []Place { return data.places }

func drawSource(rng *rand.Rand, directShare float64) Source {
	// Both are always drawn, so that the direct share changes nothing else of a visit.
	direct, rest := rng.Float64() < directShare, rng.Float64()
	kind := Website
	switch {
	case rest < searchShare:
		kind = Search
	case rest < searchShare+socialShare:
		kind = Social
	}
	r := data.referrers[kind]
	referrer := r.urls[r.weights.Draw(rng)]
	if direct {
		return Source{Type: Direct}
	}
	return Source{kind, referrer}
}

// networks are the IP ranges of a country.
type networks struct {
	prefixes []netip.Prefix
	sizes    weighted.Table
}

// size returns the number of addresses in prefix i.
func (n *networks) size(i int) uint32 { return 1 << (32 - n.prefixes[i].Bits()) }

func (n *networks) draw(rng *rand.Rand) netip.Addr {
	i := n.sizes.Draw(rng)
	address := n.prefixes[i].Addr().As4()
	first := binary.BigEndian.Uint32(address[:])
	// no network or broadcast address
	binary.BigEndian.PutUint32(address[:], first+rng.Uint32N(n.size(i)/256)<<8+1+rng.Uint32N(254))
	return netip.AddrFrom4(address)
}
