package visitor

import (
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // places need their zones wherever this runs

	"github.com/puttrix/trafficinator/loadgen/internal/weighted"
)

//go:embed data/devices.json
var devicesJSON []byte

//go:embed data/places.tsv
var placesTSV string

// networksTSV are IP ranges of providers for home users. For each, addresses in every /24 were looked up in Debian's
// geoip-database and all are in the country, at least 99.5 % is announced by one such provider, and none is in Matomo's
// list of bots (core/Tracker/VisitExcluded.php).
//
//go:embed data/networks.tsv
var networksTSV string

//go:embed data/referrers.tsv
var referrersTSV string

type referrers struct {
	urls    []Text
	weights weighted.Table
}

// dataset is what visitors are drawn from.
type dataset struct {
	devices                     []Device
	deviceWeights, placeWeights weighted.Table
	places                      []Place
	referrers                   map[SourceType]*referrers
}

// data is read from the embedded files and never changed.
var data = mustLoad()

func mustLoad() *dataset {
	d := &dataset{referrers: map[SourceType]*referrers{}}
	if err := json.Unmarshal(devicesJSON, &d.devices); err != nil {
		panic(fmt.Sprintf("read devices: %v", err))
	}
	for i := range d.devices {
		d.devices[i].Index = i
	}
	d.deviceWeights = weighted.New(len(d.devices), func(i int) float64 { return d.devices[i].Weight })
	d.readPlaces(readNetworks())
	d.readReferrers()
	return d
}

// readNetworks returns the networks of each country.
func readNetworks() map[string]*networks {
	countries := map[string]*networks{}
	for _, f := range parseTSV(networksTSV) {
		if countries[f[0]] == nil {
			countries[f[0]] = &networks{}
		}
		countries[f[0]].prefixes = append(countries[f[0]].prefixes, netip.MustParsePrefix(f[1]))
	}
	for _, n := range countries {
		n.sizes = weighted.New(len(n.prefixes), func(i int) float64 { return float64(n.size(i)) })
	}
	return countries
}

func (d *dataset) readPlaces(countries map[string]*networks) {
	rows := parseTSV(placesTSV)
	for i, f := range rows {
		zone, err := time.LoadLocation(f[6])
		if err != nil || countries[f[0]] == nil {
			panic(fmt.Sprintf("read places: %s: zone %v or no network", f[2], err))
		}
		d.places = append(d.places, Place{i, f[0], f[1], f[2], f[3], f[4], NewText(f[5]), zone, countries[f[0]]})
	}
	d.placeWeights = weighted.New(len(rows), func(i int) float64 { return mustParseFloat(rows[i][7]) })
}

func (d *dataset) readReferrers() {
	weights := map[SourceType][]float64{}
	for _, f := range parseTSV(referrersTSV) {
		kind := SourceType(f[0])
		if d.referrers[kind] == nil {
			d.referrers[kind] = &referrers{}
		}
		d.referrers[kind].urls = append(d.referrers[kind].urls, NewText(f[2]))
		weights[kind] = append(weights[kind], mustParseFloat(f[1]))
	}
	for kind, r := range d.referrers {
		r.weights = weighted.New(len(r.urls), func(i int) float64 { return weights[kind][i] })
	}
}

func parseTSV(tsv string) [][]string {
	r := csv.NewReader(strings.NewReader(tsv))
	r.Comma, r.Comment = '\t', '#'
	rows, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("read visitor data: %v", err))
	}
	return rows
}

func mustParseFloat(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("read visitor data: %v", err))
	}
	return n
}
