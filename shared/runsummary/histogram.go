package runsummary

import "github.com/HdrHistogram/hdrhistogram-go"

// EncodeHistogram is a histogram of latencies in µs as Target.Histogram holds it. It costs about a millisecond.
func EncodeHistogram(h *hdrhistogram.Histogram) string {
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "" // it writes to memory, which does not fail
	}
	return string(text)
}

// Percentiles are those that are told of a histogram of µs.
func Percentiles(h *hdrhistogram.Histogram) Latency {
	at := func(p float64) float64 { return float64(h.ValueAtQuantile(p)) / 1e6 }
	return Latency{at(50), at(95), at(99)}
}

// Latencies are those of all targets together, nil where the record has none: an older one kept none.
func (s *Summary) Latencies() (all *hdrhistogram.Histogram) {
	for _, t := range s.Targets {
		switch h := decoded(t.Histogram); {
		case h == nil:
		case all == nil:
			all = h
		default:
			all.Merge(h)
		}
	}
	if all == nil || all.TotalCount() == 0 {
		return nil
	}
	return all
}

// decoded is a histogram of Target.Histogram, nil where there is none that can be read.
func decoded(text string) *hdrhistogram.Histogram {
	if text == "" {
		return nil
	}
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return nil
	}
	return h
}

// together merges two histograms, because percentiles cannot be averaged; where one is missing so is the whole.
func together(a, b string) string {
	one, other := decoded(a), decoded(b)
	if one == nil || other == nil {
		return ""
	}
	one.Merge(other)
	return EncodeHistogram(one)
}
