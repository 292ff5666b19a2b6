package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// State is the state of the loadgen and of operations on it. It is also the stream's state event.
type State struct {
	Container containerStatus `json:"container"`
	Runtime   string          `json:"runtime" enum:"docker,process"`
	Reason    string          `json:"runtime_reason" doc:"Why this runtime is used, and which container engine was found."`
	Phase     phase.Phase     `json:"phase" doc:"Phase of the loadgen: idle, running, paused, draining or ended; empty while it does not answer."`
	Operation *run.Operation  `json:"operation" doc:"The operation in progress."`
	Pause     string          `json:"pause_reason" enum:",asked,daily_cap,state_full" doc:"Why no new visits start; empty while they do. asked: paused by POST /api/control; daily_cap: MAX_TOTAL_VISITS is reached; state_full: the state folder cannot be written, so visits could not be accounted for."`
	Run       *currentRun     `json:"run" doc:"The current run, or the last one."`
	Control   *ControlState   `json:"control" doc:"Changes to the current run by POST /api/control; null without a run."`
	Finish    *run.Finish     `json:"finish" doc:"Progress of a run that finishes its open visits; null otherwise."`
	Messages  []string        `json:"messages" doc:"Output of a loadgen that ended unexpectedly."`
	Storage   []disk.Fault    `json:"storage" doc:"Folders that the controller cannot write to, with cause and fix."`
}

// statusResponse has the original's fields container, config and stats; all its numbers are measured.
type statusResponse struct {
	State
	Config map[string]any `json:"config" doc:"The saved configuration, with secrets masked."`
	Stats  *runStats      `json:"stats" doc:"null while the loadgen does not answer."`
}

type containerStatus struct {
	State     string     `json:"state" enum:"running,stopped,created,restarting,paused,dead,not_found,foreign,unavailable"`
	Name      string     `json:"name"`
	ID        string     `json:"id"`
	Image     string     `json:"image"`
	Uptime    *string    `json:"uptime" doc:"Such as 2d 3h 4m; in seconds below a minute."`
	UpSeconds *float64   `json:"uptime_seconds"`
	Created   *time.Time `json:"created"`
	StartedAt *time.Time `json:"started_at"`
	ExitCode  *int       `json:"exit_code"`
	Reason    string     `json:"reason" doc:"Explains the state and how to fix it, if necessary."`
	Healable  bool       `json:"healable" doc:"Whether POST /api/heal can repair the container."`
}

type currentRun struct {
	record.Head
	ExitCode int                 `json:"exit_code" doc:"0 until the loadgen has exited."`
	Restarts int                 `json:"restarts" doc:"Number of restarts after crashes."`
	Summary  *runsummary.Summary `json:"summary,omitempty" doc:"The run summary, once the run has ended."`
}

type runStats struct {
	Uptime          *string     `json:"uptime" doc:"Same as container.uptime."`
	UpSeconds       *float64    `json:"uptime_seconds"`
	VisitsGenerated uint64      `json:"visits_generated" doc:"Visits started in this run."`
	VisitsDue       uint64      `json:"visits_due" doc:"Visits due so far by the load profile."`
	CurrentRate     float64     `json:"current_rate" doc:"Visits started per second over about the last minute."`
	HitRate         float64     `json:"hit_rate" doc:"Hits accepted per second over the same time."`
	Sample          live.Sample `json:"sample"`
}

func (s *server) status(ctx context.Context) (statusResponse, error) {
	st := s.Runs.Status()
	saved, err := s.Setup.Config(ctx)
	a := statusResponse{State: newState(st, s.Disk.Faults(), s.Now()), Config: saved.Values}
	if sample, ok := s.Live.Latest(); ok && st.Phase != "" && st.Run != nil && sample.RunID == st.Run.ID {
		a.Stats = &runStats{
			Uptime: a.Container.Uptime, UpSeconds: a.Container.UpSeconds, VisitsGenerated: sample.Visits.Planned,
			VisitsDue: sample.Due, CurrentRate: sample.Recent.VisitRate, HitRate: sample.Recent.HitRate, Sample: sample,
		}
	}
	return a, err
}

// StateEvent returns the data of a state event of the stream.
func StateEvent(st run.Status, faults []disk.Fault, now time.Time) any {
	return newState(st, faults, now)
}

func newState(st run.Status, faults []disk.Fault, now time.Time) State {
	a := State{Container: newContainer(st.Loadgen, st.Since, now), Runtime: st.Runtime, Reason: st.RuntimeReason,
		Phase: st.Phase, Pause: st.Pause, Operation: st.Operation, Finish: st.Finish,
		Messages: append([]string{}, st.Messages...), Storage: append([]disk.Fault{}, faults...)}
	if st.Run != nil {
		a.Run = newRun(*st.Run, st.Restarts)
	}
	if st.Active() {
		c := newControlState(st.Steering)
		a.Control = &c
	}
	return a
}

func newContainer(l launcher.Status, since, now time.Time) containerStatus {
	c := containerStatus{State: stateName(l.State), Name: l.Name, ID: l.ID, Image: l.Image, Reason: l.Reason,
		Healable: l.Healable}
	c.Created, c.StartedAt = optionalTime(l.Created), optionalTime(l.Started)
	switch {
	case l.State == launcher.Running && !since.IsZero():
		up := now.Sub(since)
		seconds, text := up.Seconds(), uptime(up)
		c.UpSeconds, c.Uptime = &seconds, &text
	case !l.Ended.IsZero():
		c.ExitCode = &l.ExitCode
	}
	return c
}

// stateName returns the original's name of a state, if it had one.
func stateName(s launcher.State) string {
	switch s {
	case launcher.Exited:
		return "stopped"
	case launcher.Missing:
		return "not_found"
	default:
		return string(s)
	}
}

// uptime formats a duration like the original: 2d 3h 4m, or 59s below a minute.
func uptime(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if n := d / unit.length; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, unit.name))
		}
		d %= unit.length
	}
	return strings.Join(parts, " ")
}

func newRun(r record.Run, restarts int) *currentRun {
	a := &currentRun{Head: r.Head, Restarts: restarts, Summary: r.Summary}
	a.Labels = append([]string{}, r.Labels...)
	if r.ExitCode != nil {
		a.ExitCode = *r.ExitCode
	}
	return a
}

// optionalTime returns nil for the zero time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
