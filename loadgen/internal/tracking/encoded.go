package tracking

import "github.com/puttrix/trafficinator/loadgen/internal/visitor"

// encoded are the parameters that depend on the device or place alone, by their index. Escaping these long texts is
// most of the cost of a hit, so it is done once.
var encoded = encodeParts()

type encodedParts struct{ devices, places [][]byte }

func encodeParts() (p encodedParts) {
	for _, d := range visitor.Devices() {
		var w writer
		w.text("&ua=", d.UserAgent)
		w.optional("&uadata=", d.Hints)
		w.flag("&pdf=", d.PDF)
		w.raw("&cookie=1")
		p.devices = append(p.devices, w.b)
	}
	for _, at := range visitor.Places() {
		var w writer
		w.text("&country=", at.Country)
		w.optional("&region=", at.Region)
		w.text("&city=", at.City)
		w.text("&lat=", at.Lat)
		w.text("&long=", at.Long)
		p.places = append(p.places, w.b)
	}
	return p
}
