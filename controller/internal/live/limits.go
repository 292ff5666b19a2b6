package live

import (
	"time"

	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// limits adds to samples what the loadgen reports of the run, and how close the limits of the settings are.
type limits struct {
	run      string
	settings spec.Spec
	known    bool
	// length is that of the load profile; 0 if it has no end.
	length   time.Duration
	previous Sample
	paused   time.Duration
}

// add adds the numbers of r, the summary of all lives of the run.
func (x *limits) add(c Config, s *Sample, r *runsummary.Summary) {
	if x.run != s.RunID {
		*x = limits{run: s.RunID}
		if x.settings, x.known = c.Settings(s.RunID); x.known {
			load, _ := x.settings.Profile() // the settings were checked before the start
			x.length = load.Length()
		}
	}
	if x.previous.Phase == phase.Paused {
		x.paused += s.Time.Sub(x.previous.Time)
	}
	x.previous = *s
	for i, t := range s.Targets {
		s.Targets[i].LastError = r.Targets[t.Name].LastError
	}
	s.Thresholds, s.Capacity = append([]runsummary.Verdict{}, r.Thresholds...), r.Capacity
	s.Reasons, s.Warnings = append([]runsummary.Reason{}, r.Reasons...), append([]runsummary.Reason{}, r.Warnings...)
	if x.known {
		s.Aborts = x.settings.ThresholdAbort
		s.Stops = x.stops(s, r.Started, c.Cap)
	}
}

// stops returns the limits that are set.
func (x *limits) stops(s *Sample, started time.Time, kept func() (runsummary.Cap, error)) []Stop {
	k, out := x.settings, []Stop{}
	if k.StopAfterVisits > 0 {
		out = append(out, Stop{StopVisits, "visits", float64(s.Visits.Planned), float64(k.StopAfterVisits), true})
	}
	var since time.Duration
	if !started.IsZero() {
		since = max(0, s.Time.Sub(started))
	}
	if k.AutoStopHours > 0 {
		out = append(out, Stop{StopHours, "s", since.Seconds(), k.AutoStopHours * 3600, true})
	}
	if x.length > 0 {
		out = append(out, Stop{StopProfile, "s", max(0, since-x.paused).Seconds(), x.length.Seconds(), true})
	}
	if k.MaxTotalVisits > 0 {
		out = append(out, Stop{StopCap, "visits", reservedVisits(kept, s.Time), float64(k.MaxTotalVisits), true})
	}
	if k.StopErrorShare > 0 && !k.CapacitySearch {
		out = append(out, errorBrake(s.Recent, k.StopErrorShare))
	}
	return out
}

func reservedVisits(kept func() (runsummary.Cap, error), now time.Time) float64 {
	c, err := kept()
	if err != nil || !now.Before(c.WindowStart.Add(runsummary.CapWindow)) {
		return 0
	}
	return float64(c.Reserved)
}

func errorBrake(r Recent, limit float64) Stop {
	bad := r.Delta.Rejected + r.Delta.Failed + r.Delta.Unknown + r.Delta.Shed
	ended := bad + r.Delta.Accepted
	b := Stop{StopBrake, "share", 0, limit, r.Seconds >= recentWindow.Seconds() && ended >= threshold.BrakeMinHits}
	if ended > 0 {
		b.Current = float64(bad) / float64(ended)
	}
	return b
}
