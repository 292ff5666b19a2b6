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

// State is what changes with the loadgen and with what is done to it; it is also the stream's state event.
type State struct {
	Container containerStatus `json:"container"`
	Runtime   string          `json:"runtime" enum:"docker,process"`
	Reason    string          `json:"runtime_reason" doc:"Why the runtime is this one, and which engine was found."`
	Phase     phase.Phase     `json:"phase" doc:"The loadgen's own word: idle, running, paused, draining, ended; empty while it does not answer."`
	Operation *run.Operation  `json:"operation" doc:"What is being done right now."`
	Pause     string          `json:"pause_reason" enum:",asked,daily_cap,state_full" doc:"Why no new visits begin. asked: POST /api/control; daily_cap: MAX_TOTAL_VISITS is reached; state_full: the state folder cannot be written, so that a visit could not be accounted for. Empty while they begin."`
	Run       *currentRun     `json:"run" doc:"The run that goes on, or the last one."`
	Control   *ControlState   `json:"control" doc:"What the run that goes on was told by POST /api/control; null where none goes on."`
	Finish    *run.Finish     `json:"finish" doc:"How far the run is that finishes its open visits; null where none does."`
	Messages  []string        `json:"messages" doc:"What a loadgen told that ended in a way nobody asked for."`
	Storage   []disk.Fault    `json:"storage" doc:"What the controller cannot store in, why, and what puts it right."`
}

// statusResponse keeps the original's container, config and stats; every number in it is measured.
type statusResponse struct {
	State
	Config map[string]any `json:"config" doc:"The saved configuration, secrets masked."`
	Stats  *runStats      `json:"stats" doc:"While the loadgen answers."`
}

type containerStatus struct {
	State     string     `json:"state" enum:"running,stopped,created,restarting,paused,dead,not_found,foreign,unavailable"`
	Name      string     `json:"name"`
	ID        string     `json:"id"`
	Image     string     `json:"image"`
	Uptime    *string    `json:"uptime" doc:"As 2d 3h 4m, or in seconds below a minute."`
	UpSeconds *float64   `json:"uptime_seconds"`
	Created   *time.Time `json:"created"`
	StartedAt *time.Time `json:"started_at"`
	ExitCode  *int       `json:"exit_code"`
	Reason    string     `json:"reason" doc:"Explains the state where it does not speak for itself, with the cure."`
	Healable  bool       `json:"healable" doc:"POST /api/heal would put something right."`
}

type currentRun struct {
	record.Head
	ExitCode int `json:"exit_code" doc:"0 until there is one."`
	Restarts int `json:"restarts" doc:"Starts after crashes."`
	// Summary is the ledger of record once the run has ended.
	Summary *runsummary.Summary `json:"summary,omitempty"`
}

type runStats struct {
	Uptime          *string     `json:"uptime" doc:"As container.uptime."`
	UpSeconds       *float64    `json:"uptime_seconds"`
	VisitsGenerated uint64      `json:"visits_generated" doc:"Visits begun in this run."`
	VisitsDue       uint64      `json:"visits_due" doc:"Visits that the schedule has asked for so far."`
	CurrentRate     float64     `json:"current_rate" doc:"Visits begun per second, measured over the last minute or so."`
	HitRate         float64     `json:"hit_rate" doc:"Hits accepted per second, measured over the same time."`
	Sample          live.Sample `json:"sample"`
}

func (s *server) status(ctx context.Context) (statusResponse, error) {
	st := s.Runs.Status()
	saved, err := s.Setup.Config(ctx)
	a := statusResponse{State: newState(st, s.Disk.Faults(), s.Now()), Config: saved.Values}
	if sample, ok := s.Live.Latest(); ok && st.Phase != "" && st.Run != nil && sample.RunID == st.Run.ID {
		a.Stats = &runStats{
			Uptime: a.Container.Uptime, UpSeconds: a.Container.UpSeconds, VisitsGenerated: sample.Visits.Planned,
			VisitsDue:   sample.Due,
			CurrentRate: sample.Recent.VisitRate, HitRate: sample.Recent.HitRate, Sample: sample,
		}
	}
	return a, err
}

// StateEvent is st, and what cannot be stored, as a state event of the stream tells it.
func StateEvent(st run.Status, faults []disk.Fault, now time.Time) any {
	return newState(st, faults, now)
}

func newState(st run.Status, faults []disk.Fault, now time.Time) State {
	a := State{
		Container: newContainer(st.Loadgen, st.Since, now),
		Runtime:   st.Runtime,
		Reason:    st.RuntimeReason,
		Phase:     st.Phase,
		Pause:     st.Pause,
		Operation: st.Operation,
		Finish:    st.Finish,
		Messages:  append([]string{}, st.Messages...),
		Storage:   append([]disk.Fault{}, faults...),
	}
	if st.Run != nil {
		a.Run = newRun(*st.Run, st.Restarts)
	}
	if st.Active() {
		c := controlState(st.Steering)
		a.Control = &c
	}
	return a
}

func newContainer(l launcher.Status, since, now time.Time) containerStatus {
	c := containerStatus{State: stateWord(l.State), Name: l.Name, ID: l.ID, Image: l.Image, Reason: l.Reason,
		Healable: l.Healable}
	c.Created, c.StartedAt = moment(l.Created), moment(l.Started)
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

// stateWord is a state by the original's name, where it had one.
func stateWord(s launcher.State) string {
	switch s {
	case launcher.Exited:
		return "stopped"
	case launcher.Missing:
		return "not_found"
	default:
		return string(s)
	}
}

// uptime is a length of time as the original wrote it: 2d 3h 4m, or 59s below a minute.
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

// moment is nil for no moment.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
