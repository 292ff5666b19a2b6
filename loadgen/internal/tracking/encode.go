// Package tracking encodes hits for Matomo's tracker, sends them, and returns what the answers mean. It knows neither
// why a hit exists nor when the next is due. The parameters are those of Matomo's core/Tracker/Request.php.
package tracking

import (
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/hit"
)

// Form is how hits are encoded for one target.
type Form struct {
	SiteID int
	// WithPlace adds IP address and place, which Matomo only accepts with a token; without one it rejects the hit.
	WithPlace bool
	// WithTime adds the time of the hit (cdt), which live hits do not need.
	WithTime bool
	// NoContent asks for an empty 204 in place of the GIF. It also hides a 503 (record_statistics=0), so it is only
	// used once the target has accepted a hit.
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
	w.b = append(w.b, "&rec=1&apiv=1&cid="...)
	w.b = append(append(append(w.b, v.ID[:]...), "&_id="...), v.ID[:]...)
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

// action appends the parameters of the kind.
func (w *writer) action(v *visit.Visit, i int) {
	h := &v.Hits[i]
	switch h.Kind {
	case hit.Pageview:
		w.encoded("&action_name=", h.Title)
		t := v.Timing(i)
		w.integer("&pf_net=", t.Network)
		w.integer("&pf_srv=", t.Server)
		w.integer("&pf_tfr=", t.Transfer)
		w.integer("&pf_dm1=", t.DOMProcessing)
		w.integer("&pf_dm2=", t.DOMCompletion)
		w.integer("&pf_onl=", t.OnLoad)
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
