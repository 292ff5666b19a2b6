// Package tracking owns the wire: how a hit is written for Matomo's tracker, how it is sent, and what the answer
// means. It knows neither why a hit exists nor when the next is due. The parameters are those of Matomo's
// core/Tracker/Request.php.
package tracking

import (
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// Form is how hits are written for one target.
type Form struct {
	SiteID int
	// Located adds address and place, which Matomo takes with a token only; without one it refuses the whole hit.
	Located bool
	// Dated adds the time of the hit (cdt); hits of the live timeline have none.
	Dated bool
	// Quiet asks for an empty 204 in place of the GIF. It also hides a 503 (record_statistics=0), so it is not
	// asked for until the target has accepted a hit.
	Quiet bool
}

// Append writes hit i of v to dst as a form body, without the token. at is the moment the hit is recorded at; a zero
// at leaves out all that depends on the clock.
func Append(dst []byte, v *visit.Visit, i int, f Form, at time.Time) []byte {
	h := &v.Hits[i]
	w := writer{dst}
	w.first("idsite", f.SiteID)
	w.text("rec", "1")
	w.text("apiv", "1")
	w.text("cid", v.ID) // forces the visitor; _id alone falls back to a fingerprint (core/Tracker/VisitorRecognizer.php)
	w.text("_id", v.ID)
	w.text("url", h.URL)
	w.optional("urlref", h.Referrer)
	w.optional("pv_id", h.PageviewID)
	w.action(v, h)
	w.who(v, f, at)
	if f.Dated && !at.IsZero() {
		w.text("cdt", at.UTC().Format(time.DateTime))
	}
	if f.Quiet {
		w.text("send_image", "0")
	}
	return w.b
}

// action writes what happened.
func (w *writer) action(v *visit.Visit, h *visit.Hit) {
	switch h.Kind {
	case visit.Pageview:
		w.text("action_name", h.Title)
		if t := h.Timing; t != nil {
			w.whole("pf_net", t.Network)
			w.whole("pf_srv", t.Server)
			w.whole("pf_tfr", t.Transfer)
			w.whole("pf_dm1", t.DOMProcessing)
			w.whole("pf_dm2", t.DOMCompletion)
			w.whole("pf_onl", t.OnLoad)
		}
	case visit.Search:
		w.text("action_name", h.Title)
		w.text("search", h.Search.Keyword)
		w.optional("search_cat", h.Search.Category)
		w.whole("search_count", h.Search.Count)
	case visit.Event:
		w.text("ca", "1") // without the Events plugin the hit is refused, not booked as a pageview
		w.text("e_c", h.Event.Category)
		w.text("e_a", h.Event.Action)
		w.optional("e_n", h.Event.Name)
		if h.Event.Value != nil {
			w.text("e_v", strconv.FormatFloat(*h.Event.Value, 'f', -1, 64))
		}
	case visit.Outlink:
		w.text("link", h.Target)
	case visit.Download:
		w.text("download", h.Target)
	case visit.Order:
		w.order(h)
	case visit.Ping:
		w.text("ping", "1")
	}
}

func (w *writer) order(h *visit.Hit) {
	o := h.Order
	w.text("idgoal", "0")
	w.text("ec_id", h.OrderID)
	w.money("revenue", o.Revenue)
	w.money("ec_st", o.Subtotal)
	w.money("ec_tx", o.Tax)
	w.money("ec_sh", o.Shipping)
	if o.Discount != 0 {
		w.money("ec_dt", o.Discount)
	}
	w.text("ec_items", string(appendItems(nil, o.Items)))
}

// who writes the visitor: the device always, the place only where the target takes it.
func (w *writer) who(v *visit.Visit, f Form, at time.Time) {
	d, p := v.Visitor.Device, v.Visitor.Place
	w.text("ua", d.UserAgent)
	w.optional("uadata", d.Hints)
	w.text("lang", p.Lang)
	w.text("res", v.Visitor.Resolution)
	w.flag("pdf", d.PDF)
	w.text("cookie", "1")
	if !at.IsZero() {
		local := at.In(p.Zone)
		w.whole("h", local.Hour())
		w.whole("m", local.Minute())
		w.whole("s", local.Second())
	}
	if f.Located && p.Country != "" {
		w.text("cip", v.Visitor.IP.String())
		w.text("country", p.Country)
		w.optional("region", p.Region)
		w.text("city", p.City)
		w.text("lat", p.Lat)
		w.text("long", p.Long)
	}
}

// appendItems writes [[sku,name,category,price,quantity],…].
func appendItems(dst []byte, items []shop.Item) []byte {
	dst = append(dst, '[')
	for i, it := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for _, s := range []string{it.SKU, it.Name, it.Category} {
			dst = appendJSON(dst, s)
			dst = append(dst, ',')
		}
		dst = appendMoney(dst, it.Price)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(it.Quantity), 10)
		dst = append(dst, ']')
	}
	return append(dst, ']')
}
