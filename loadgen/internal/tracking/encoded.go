package tracking

import "github.com/puttrix/trafficinator/loadgen/internal/visitor"

// encoded are the parts of a hit that are the same for all who have a device or live in a place. They are long, and
// escaping them is most of the cost of a hit, so that they are written once.
var encoded = encodeParts()

type encodedParts struct{ devices, places [][]byte }

func encodeParts() *encodedParts {
	p := &encodedParts{}
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
