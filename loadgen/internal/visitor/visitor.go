// Package visitor owns who visits: a coherent person with a device, a place, an address and a source. It knows
// nothing of what the person does, of HTTP, or of Matomo's parameters.
package visitor

import (
	"math/rand/v2"
	"net/netip"
	"net/url"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/weighted"
)

// Device is what a person browses with. Its parts belong together.
type Device struct {
	// Index is its place among Devices.
	Index int    `json:"-"`
	Name  string `json:"name"`
	// Type is desktop, smartphone or tablet.
	Type      string `json:"type"`
	UserAgent string `json:"user_agent"`
	// Hints are the client hints as matomo.js sends them (uadata), "" where the browser sends none.
	Hints       string   `json:"hints"`
	Resolutions []string `json:"resolutions"`
	// PDF tells that the browser shows PDF files itself.
	PDF    bool    `json:"pdf"`
	Weight float64 `json:"weight"`
}

// Place is where a person lives.
type Place struct {
	// Index is its place among Places.
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

// Networks are the address ranges of the place's country that visitors' addresses are drawn from.
func (p *Place) Networks() []netip.Prefix { return p.networks.prefixes }

// SourceType is how a person came.
type SourceType string

// The types of a source.
const (
	Direct  SourceType = "direct"
	Search  SourceType = "search"
	Social  SourceType = "social"
	Website SourceType = "website"
	// Campaign is told by the address of the first page, never drawn.
	Campaign SourceType = "campaign"
)

// Text is a text with its form (application/x-www-form-urlencoded), which is made once because a text is sent many
// times.
type Text struct{ Plain, Form string }

// NewText makes the form of a text.
func NewText(plain string) Text { return Text{plain, url.QueryEscape(plain)} }

// Source is where a person came from; Referrer is empty for a direct visit.
type Source struct {
	Type     SourceType
	Referrer Text
}

// Visitor is a person.
type Visitor struct {
	Device     *Device
	Resolution string
	Place      *Place
	// IP belongs to a network of home users of the place's country.
	IP     netip.Addr
	Source Source
}

// Of what is not direct, these shares come from search engines and social networks, the rest from websites: the
// split of the original's bands, 0.35 : 0.15 : 0.20.
const searchShare, socialShare = 0.50, 0.21

// Draw makes a person. directShare, 0..1, is the share of direct visits.
func Draw(rng *rand.Rand, directShare float64) Visitor {
	v := Visitor{Device: &data.devices[data.deviceWeights.Draw(rng)],
		Place: &data.places[data.placeWeights.Draw(rng)]}
	v.Resolution = v.Device.Resolutions[rng.IntN(len(v.Device.Resolutions))]
	v.IP = v.Place.networks.draw(rng)
	v.Source = drawSource(rng, directShare)
	return v
}

// Devices are all devices that are drawn from.
func Devices() []Device { return data.devices }

// Places are all places that are drawn from.
func Places() []Place { return data.places }

func drawSource(rng *rand.Rand, directShare float64) Source {
	// Both draws are always made, so that the direct share changes nothing else of a visit.
	direct, rest := rng.Float64() < directShare, rng.Float64()
	kind := Website
	switch {
	case rest < searchShare:
		kind = Search
	case rest < searchShare+socialShare:
		kind = Social
	}
	r := data.referrers[kind]
	address := r.addresses[r.weights.Draw(rng)]
	if direct {
		return Source{Type: Direct}
	}
	return Source{kind, address}
}

// networks are the address ranges of a country.
type networks struct {
	prefixes []netip.Prefix
	sizes    weighted.Table
}

func (n *networks) draw(rng *rand.Rand) netip.Addr {
	p := n.prefixes[n.sizes.Draw(rng)]
	size := uint32(1) << (32 - p.Bits())
	base := p.Addr().As4()
	first := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	a := first + rng.Uint32N(size/256)<<8 + 1 + rng.Uint32N(254) // no network or broadcast address
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}
