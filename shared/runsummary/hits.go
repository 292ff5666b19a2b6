package runsummary

import "github.com/puttrix/trafficinator/shared/outcome"

// Hits counts hits by outcome; Planned is their sum and what is still open.
type Hits struct {
	Planned   uint64 `json:"planned"`
	Accepted  uint64 `json:"accepted"`
	Rejected  uint64 `json:"rejected"`
	Failed    uint64 `json:"failed"`
	Unknown   uint64 `json:"unknown"`
	Shed      uint64 `json:"shed"`
	Abandoned uint64 `json:"abandoned"`
}

// Of counts the hits of an outcome.
func (h Hits) Of(o outcome.Outcome) uint64 {
	return [outcome.Count]uint64{h.Accepted, h.Rejected, h.Failed, h.Unknown, h.Shed, h.Abandoned}[o]
}

// NotAccepted counts the hits that ended otherwise than accepted, those apart that a stop abandoned.
func (h Hits) NotAccepted() uint64 { return h.Rejected + h.Failed + h.Unknown + h.Shed }

// Tried counts the hits that ended otherwise than by a stop.
func (h Hits) Tried() uint64 { return h.Accepted + h.NotAccepted() }

// Plus adds up two counts.
func (h Hits) Plus(o Hits) Hits {
	return Hits{
		h.Planned + o.Planned, h.Accepted + o.Accepted, h.Rejected + o.Rejected, h.Failed + o.Failed,
		h.Unknown + o.Unknown, h.Shed + o.Shed, h.Abandoned + o.Abandoned,
	}
}

// Minus is what h has more than an earlier count.
func (h Hits) Minus(o Hits) Hits {
	return Hits{
		h.Planned - o.Planned, h.Accepted - o.Accepted, h.Rejected - o.Rejected, h.Failed - o.Failed,
		h.Unknown - o.Unknown, h.Shed - o.Shed, h.Abandoned - o.Abandoned,
	}
}
