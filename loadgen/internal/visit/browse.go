package visit

import (
	"time"

	"github.com/puttrix/trafficinator/shared/hit"
)

// browse outlines a visit without a funnel.
func (v *Visit) browse() {
	if v.rng.Float64() < v.g.b.BounceShare {
		v.Bounce = true
		v.addPageview()
		return
	}
	pages := v.drawPages()
	v.drawExtras(pages)
	v.addPing(v.visitPages(pages, 0, 0))
}

// visitPages outlines page views with the extras drawn, from the given recorded and send offsets on. It returns the
// offsets at which the last page is left.
func (v *Visit) visitPages(pages int, at, wait time.Duration) (time.Duration, time.Duration) {
	for i := range pages {
		pause := v.pause(i == pages-1)
		first := len(v.Hits)
		v.addPageview()
		for e, page := range v.extras {
			if page == i {
				v.addExtra(e)
			}
		}
		v.setTimes(first, at, v.dwell[i], wait, pause)
		at += v.dwell[i]
		wait += pause
	}
	return at, wait
}

// drawPages draws the number of pages, and how long each is viewed: in full seconds up to MaxGap, with weights of 0.5
// to 1.5. Matomo adds a second to the duration of a visit (plugins/CoreHome/Columns/VisitTotalTime.php).
func (v *Visit) drawPages() int {
	b := &v.g.b
	pages := b.PageviewsMin + v.rng.IntN(b.PageviewsMax-b.PageviewsMin+1)
	length := b.DurationMin + time.Duration(v.rng.Float64()*float64(b.DurationMax-b.DurationMin))
	length = min(length.Truncate(time.Second)-time.Second, time.Duration(pages)*MaxGap)
	const unit = 1 << 20 // of a weight
	v.dwell = v.dwell[:0]
	total := time.Duration(0)
	for range pages {
		w := unit/2 + time.Duration(v.rng.Float64()*unit)
		v.dwell = append(v.dwell, w)
		total += w
	}
	left := length
	for i, w := range v.dwell {
		v.dwell[i] = min(MaxGap, w*(length/time.Second)/total*time.Second)
		left -= v.dwell[i]
	}
	for i := 0; left > 0; i = (i + 1) % pages { // what rounding and MaxGap have left
		more := min(left, MaxGap-v.dwell[i])
		v.dwell[i] += more
		left -= more
	}
	return pages
}

// pause draws the real time until the next page; a visit that is not live ends with its last page.
func (v *Visit) pause(last bool) time.Duration {
	drawn := v.g.b.PauseMin + time.Duration(v.rng.Float64()*float64(v.g.b.PauseMax-v.g.b.PauseMin))
	if last {
		return 0
	}
	return drawn
}

// setTimes sets the times of the hits of a page, evenly over its dwell time and pause.
func (v *Visit) setTimes(first int, at, dwell, wait, pause time.Duration) {
	hits := v.Hits[first:]
	n := time.Duration(len(hits))
	for i := range hits {
		h := &hits[i]
		h.Offset, h.SendOffset = at, wait
		if i > 0 {
			h.Offset += dwell / time.Second * time.Duration(i) / n * time.Second
			h.SendOffset += pause * time.Duration(i) / n
		}
		if v.g.b.Live {
			h.SendOffset = h.Offset
		}
	}
}

// addPing ends the visit with a ping, which gives it the exact recorded duration (plugins/Heartbeat).
func (v *Visit) addPing(at, wait time.Duration) {
	last := &v.Hits[len(v.Hits)-1]
	if v.g.b.Live {
		wait = at
	}
	v.Hits = append(v.Hits, Hit{Kind: hit.Ping, RecordedAs: hit.Ping, Offset: at, SendOffset: wait, page: last.page})
}

func (v *Visit) addPageview() { v.Hits = append(v.Hits, Hit{page: uint16(len(v.Hits))}) }

// drawExtras draws the page of each extra, -1 for none.
func (v *Visit) drawExtras(pages int) {
	v.extras = v.extras[:0]
	for _, e := range v.g.b.Extras {
		on, drawn := -1, v.rng.Float64() < e.Share
		if drawn && (e.Kind != hit.Event || len(e.Events) > 0) {
			on = v.rng.IntN(pages)
		}
		v.extras = append(v.extras, on)
	}
}

// addExtra appends a hit on the current page.
func (v *Visit) addExtra(e int) {
	kind := v.g.b.Extras[e].Kind
	h := Hit{Kind: kind, RecordedAs: kind, page: v.Hits[len(v.Hits)-1].page, extra: uint8(e)}
	if kind == hit.Order {
		h.order = 1
	}
	v.Hits = append(v.Hits, h)
}
