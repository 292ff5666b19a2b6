package routing

import "time"

// windowSeconds is the window of the health of a target.
const windowSeconds = 60

// Health is the state of a target over the last minute.
type Health string

// The states, by the share of accepted answers.
const (
	Healthy       Health = "healthy"  // at least 95 %
	Degraded      Health = "degraded" // at least 70 %
	Failed        Health = "failed"
	Unknown       Health = "unknown" // no answers
	healthyShare         = 0.95
	degradedShare        = 0.70
)

// window counts answers per second.
type window struct {
	second    [windowSeconds]int64
	good, all [windowSeconds]uint64
}

func (m *window) add(now time.Time, good bool) {
	s := now.Unix()
	i := s % windowSeconds
	if m.second[i] != s {
		m.second[i], m.good[i], m.all[i] = s, 0, 0
	}
	m.all[i]++
	if good {
		m.good[i]++
	}
}

// rate returns the share of accepted answers in the window, and whether there were any.
func (m *window) rate(now time.Time) (float64, bool) {
	var good, all uint64
	for i, s := range m.second {
		if now.Unix()-s < windowSeconds {
			good += m.good[i]
			all += m.all[i]
		}
	}
	if all == 0 {
		return 0, false
	}
	return float64(good) / float64(all), true
}

func (m *window) health(now time.Time) Health {
	rate, any := m.rate(now)
	switch {
	case !any:
		return Unknown
	case rate >= healthyShare:
		return Healthy
	case rate >= degradedShare:
		return Degraded
	default:
		return Failed
	}
}
