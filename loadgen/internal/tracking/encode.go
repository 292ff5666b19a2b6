// Package tracking encodes hits for Matomo's tracker, sends them and classifies the answers. It knows neither why a hit
// exists nor when the next is due. The parameters are those of Matomo's core/Tracker/Request.php.
package tracking

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// Form is how hits are encoded for one target.
type Form struct {
	SiteID int
	// WithPlace adds IP address and place, which Matomo only accepts with a token; without one it rejects the hit.
	WithPlace bool
	// WithTime adds the time of the hit (cdt), which live hits do not need.
	WithTime bool
	// NoContent requests an empty 204 instead of the GIF. It also hides a 503 (record_statistics=0), so it is only used
	// once the target has accepted a hit.
	NoContent bool
	// RunID is sent in the custom dimension RunDimension, if that is not 0.
	RunID        string
	RunDimension int
}

// Append appends hit i of v to dst as a form without the token. at is the recorded time; a zero at leaves out what
// depends on the time.
func Append(dst []byte, v *visit.Visit, i int, f Form, at time.Time) []byte {
	h := &v.Hits[i]
	w := writer{dst}
	w.integer("idsite=", f.SiteID)
	// cid forces the visitor; _id alone falls back to a fingerprint (core/Tracker/VisitorRecognizer.php)
	w.b = append(append(w.b, "&rec=1&apiv=1&cid="...), v.ID[:]...)
	w.b = append(append(w.b, "&_id="...), v.ID[:]...)
	w.encoded("&url=", h.URL)
	w.encoded("&urlref=", h.Referrer)
	id := v.PageviewID(i)
	w.b = append(append(w.b, "&pv_id="...), id[:]...)
	w.action(v, i)
	w.visitor(v, f, at)
	if f.WithTime && !at.IsZero() {
		w.timestamp("&cdt=", at)
	}
	if f.RunDimension > 0 { // a run id needs no escaping
		w.b = strconv.AppendInt(append(w.b, "&dimension"...), int64(f.RunDimension), 10)
		w.b = append(append(w.b, '='), f.RunID...)
	}
	if f.NoContent {
		w.b = append(w.b, "&send_image=0"...)
	}
	return w.b
}

// timings are the parameters of visit.Timing.
var timings = [...]string{"&pf_net=", "&pf_srv=", "&pf_tfr=", "&pf_dm1=", "&pf_dm2=", "&pf_onl="}

// action appends the parameters of the kind.
func (w *writer) action(v *visit.Visit, i int) {
	h := &v.Hits[i]
	switch h.Kind {
	case hit.Pageview:
		w.encoded("&action_name=", h.Title)
		for k, ms := range v.Timing(i) {
			w.integer(timings[k], ms)
		}
	case hit.Search:
		s := v.Search(i)
		w.encoded("&action_name=", s.Title)
		w.encoded("&search=", s.Keyword)
		w.encoded("&search_cat=", s.Category)
		w.integer("&search_count=", s.Count)
	case hit.Event:
		e := v.Event(i)
		w.raw("&ca=1") // without the Events plugin the hit is rejected rather than recorded as a pageview
		w.text("&e_c=", e.Category)
		w.text("&e_a=", e.Action)
		w.optional("&e_n=", e.Name)
		if e.Value != nil {
			w.raw("&e_v=")
			w.b = strconv.AppendFloat(w.b, *e.Value, 'f', -1, 64)
		}
	case hit.Outlink:
		w.encoded("&link=", v.TargetURL(i))
	case hit.Download:
		w.encoded("&download=", v.TargetURL(i))
	case hit.Order:
		w.order(v, i)
	case hit.Ping:
		w.raw("&ping=1")
	}
}

func (w *writer) order(v *visit.Visit, i int) {
	o := v.Order(i)
	w.raw("&idgoal=0&ec_id=")
	w.b = v.AppendOrderID(w.b, i)
	w.money("&revenue=", o.Revenue)
	w.money("&ec_st=", o.Subtotal)
	w.money("&ec_tx=", o.Tax)
	w.money("&ec_sh=", o.Shipping)
	if o.Discount != 0 {
		w.money("&ec_dt=", o.Discount)
	}
	w.text("&ec_items=", string(appendItems(nil, o.Items)))
}

// visitor appends the device, and the place if the target accepts it.
func (w *writer) visitor(v *visit.Visit, f Form, at time.Time) {
	d, p := v.Visitor.Device, v.Visitor.Place
	w.b = append(w.b, encoded.devices[d.Index]...)
	w.raw("&res=")
	w.b = append(w.b, v.Visitor.Resolution...)
	w.encoded("&lang=", p.Lang)
	if !at.IsZero() {
		hour, minute, second := at.In(p.Zone).Clock()
		w.integer("&h=", hour)
		w.integer("&m=", minute)
		w.integer("&s=", second)
	}
	if f.WithPlace && p.Country != "" {
		w.raw("&cip=")
		w.b = v.Visitor.IP.AppendTo(w.b)
		w.b = append(w.b, encoded.places[p.Index]...)
	}
}

// appendItems appends [[sku,name,category,price,quantity],…].
func appendItems(dst []byte, items []shop.Item) []byte {
	dst = append(dst, '[')
	for i, it := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for _, s := range []string{it.SKU, it.Name, it.Category} {
			dst = append(appendJSON(dst, s), ',')
		}
		dst = append(appendMoney(dst, it.Price), ',')
		dst = append(strconv.AppendInt(dst, int64(it.Quantity), 10), ']')
	}
	return append(dst, ']')
}

// encoded are the parameters that depend only on the device or place, by its index. Escaping these long texts is
// most of the cost of a hit, so it is done once.
var encoded = func() (p struct{ devices, places [][]byte }) {
	for _, d := range visitor.Devices() {
		var w writer
		w.text("&ua=", d.UserAgent)
		w.optional("&uadata=", d.Hints)
		w.text("&pdf=", map[bool]string{true: "1", false: "0"}[d.PDF])
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
}()

// writer appends parameters in application/x-www-form-urlencoded. Names are given as "&name=".
type writer struct{ b []byte }

func (w *writer) raw(text string) { w.b = append(w.b, text...) }

func (w *writer) text(name, value string) {
	w.raw(name)
	w.b = appendEscaped(w.b, value)
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

// encoded appends a text that is already encoded, unless it is empty.
func (w *writer) encoded(name string, t visit.Text) {
	if t.Form != "" {
		w.raw(name)
		w.raw(t.Form)
	}
}

// timestamp appends a time in UTC as YYYY-MM-DD HH:MM:SS.
func (w *writer) timestamp(name string, at time.Time) {
	w.raw(name)
	at = at.UTC()
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	w.twoDigits(year/100, "")
	w.twoDigits(year%100, "-")
	w.twoDigits(int(month), "-")
	w.twoDigits(day, "+")
	w.twoDigits(hour, "%3A")
	w.twoDigits(minute, "%3A")
	w.twoDigits(second, "")
}

func (w *writer) twoDigits(n int, separator string) {
	w.b = append(append(w.b, byte('0'+n/10), byte('0'+n%10)), separator...)
}

func (w *writer) integer(name string, n int) {
	w.raw(name)
	if u := uint(n); u >= 100 && u < 1000 { // faster than AppendInt, which has a fast path below 100
		w.b = append(w.b, byte('0'+u/100), byte('0'+u/10%10), byte('0'+u%10))
		return
	}
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) money(name string, c shop.Cents) {
	w.raw(name)
	w.b = appendMoney(w.b, c)
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// appendMoney appends an amount with a decimal point, which Matomo needs in any locale.
func appendMoney(dst []byte, c shop.Cents) []byte {
	if c < 0 {
		dst = append(dst, '-')
		c = -c
	}
	dst = strconv.AppendInt(dst, int64(c/100), 10)
	return append(dst, '.', byte('0'+c/10%10), byte('0'+c%10))
}

func appendJSON(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string has no error
	return append(dst, quoted...)
}
