package visitor

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // places need their zones wherever this runs
)

//go:embed data/devices.json
var devicesJSON []byte

//go:embed data/places.tsv
var placesTSV string

// networksTSV are ranges of providers for home users. For each, addresses in every /24 were looked up in Debian's
// geoip-database and all are of the country, at least 99.5 % is announced by one such provider, and none meets
// Matomo's list of bots (core/Tracker/VisitExcluded.php).
//
//go:embed data/networks.tsv
var networksTSV string

//go:embed data/referrers.tsv
var referrersTSV string

type referrers struct {
	addresses []string
	weights   weights
}

// atlas is the data that visitors are drawn from.
type atlas struct {
	devices                     []Device
	deviceWeights, placeWeights weights
	places                      []Place
	referrers                   map[SourceType]*referrers
}

// world is read from the embedded files, which are part of the program, and never changed.
var world = mustRead()

func mustRead() *atlas {
	a := &atlas{referrers: map[SourceType]*referrers{}}
	if err := json.Unmarshal(devicesJSON, &a.devices); err != nil {
		panic(fmt.Sprintf("read devices: %v", err))
	}
	for _, d := range a.devices {
		a.deviceWeights.add(d.Weight)
	}
	countries := map[string]*networks{}
	for _, f := range rows(networksTSV, 2) {
		n := countries[f[0]]
		if n == nil {
			n = &networks{}
			countries[f[0]] = n
		}
		p := netip.MustParsePrefix(f[1])
		n.prefixes = append(n.prefixes, p)
		n.sizes.add(float64(uint64(1) << (32 - p.Bits())))
	}
	for _, f := range rows(placesTSV, 8) {
		zone, err := time.LoadLocation(f[6])
		if err != nil || countries[f[0]] == nil {
			panic(fmt.Sprintf("read places: %s: zone %v or no network", f[2], err))
		}
		a.places = append(a.places, Place{f[0], f[1], f[2], f[3], f[4], f[5], zone, countries[f[0]]})
		a.placeWeights.add(number(f[7]))
	}
	for _, f := range rows(referrersTSV, 3) {
		kind := SourceType(f[0])
		if a.referrers[kind] == nil {
			a.referrers[kind] = &referrers{}
		}
		a.referrers[kind].addresses = append(a.referrers[kind].addresses, f[2])
		a.referrers[kind].weights.add(number(f[1]))
	}
	return a
}

func rows(tsv string, columns int) [][]string {
	var out [][]string
	for line := range strings.Lines(tsv) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != columns {
			panic(fmt.Sprintf("read visitor data: %q has %d columns, not %d", line, len(fields), columns))
		}
		out = append(out, fields)
	}
	return out
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("read visitor data: %v", err))
	}
	return n
}
