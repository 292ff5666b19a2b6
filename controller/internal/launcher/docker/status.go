package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

var states = map[container.ContainerState]launcher.State{
	container.StateCreated: launcher.Created, container.StateRunning: launcher.Running,
	container.StatePaused: launcher.Paused, container.StateRestarting: launcher.Restarting,
	container.StateRemoving: launcher.Dead, container.StateExited: launcher.Exited, container.StateDead: launcher.Dead,
}

// Status implements launcher.Loadgen.
func (l *loadgen) Status(ctx context.Context) launcher.Status {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	d := l.d
	found, err := l.find(ctx)
	s := launcher.Status{Name: l.name, Image: d.c.Image}
	switch {
	case errors.Is(err, launcher.ErrMissing):
		s.State = launcher.Missing
		if l.jobID == "" {
			d.explainMissing(ctx, &s)
		}
		return s
	case errors.Is(err, launcher.ErrForeign):
		s.State, s.Reason = launcher.Foreign, err.Error()
	case err != nil:
		s.State, s.Reason = launcher.Unavailable, d.c.Engine.explain(err)
		return s
	}
	s.ID, s.Name, s.Image = found.ID, strings.TrimPrefix(found.Name, "/"), found.Config.Image
	s.Created, s.Started = parseTime(found.Created), parseTime(found.State.StartedAt)
	s.Ended, s.ExitCode = parseTime(found.State.FinishedAt), found.State.ExitCode
	if s.State != launcher.Foreign {
		s.State, s.Telemetry = states[found.State.Status], d.telemetry(ctx, found)
		l.explain(ctx, &s, found)
	}
	return s
}

func (d *Docker) explainMissing(ctx context.Context, s *launcher.Status) {
	s.Healable, s.Reason = true, "the container does not exist; start creates it from "+d.c.Image
	if _, err := d.api.ImageInspect(ctx, d.c.Image); cerrdefs.IsNotFound(err) {
		s.Healable = false
		s.Reason = "neither the container nor the image " + d.c.Image + " exists; build it with `make images` or set " +
			"LOADGEN_IMAGE to another"
	}
}

// explain returns why the engine does not answer, with the fix.
func (e Engine) explain(err error) string {
	fix := "start it, or give the controller access to its socket with DOCKER_SOCKET and DOCKER_GID in .env, which " +
		"`make up` writes"
	if !strings.HasPrefix(e.Host, "unix:") {
		fix = "start it, or check DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"
	}
	return fmt.Sprintf("the engine at %s (%s) does not answer (%v); %s", e.Host, e.Source, err, fix)
}

// explain sets the reason why a container does not run, unless its state is one.
func (l *loadgen) explain(ctx context.Context, s *launcher.Status, found container.InspectResponse) {
	d := l.d
	var reasons []string
	switch s.State {
	case launcher.Created:
		s.Healable, reasons = true, append(reasons, "it was created but never started")
	case launcher.Dead:
		s.Healable, reasons = true, append(reasons, "the engine could not remove it and cannot start it")
	case launcher.Paused:
		s.Healable, reasons = true, append(reasons, "somebody paused it")
	}
	if d.hasOlderImage(ctx, found) {
		reasons = append(reasons, "its image is older than "+d.c.Image+"; the next start recreates it")
	}
	switch s.State {
	case launcher.Running:
	case launcher.Restarting:
		reasons = append(reasons, d.explainRestarts(ctx, found))
	default:
		if found.State.Error != "" {
			reasons = append(reasons, "the engine reports: "+found.State.Error)
		}
		if found.State.OOMKilled {
			reasons = append(reasons, "it ran out of memory and was killed; raise LOADGEN_MEMORY or lower the load")
		}
		if gone := d.missingNetworks(ctx, found); len(gone) > 0 {
			s.Healable = true
			reasons = append(reasons, "its network "+strings.Join(gone, ", ")+" no longer exists, so it cannot start")
		}
	}
	s.Reason = strings.Join(reasons, "; ")
	s.Healable = s.Healable && l.jobID == "" // the next start recreates the container of a job
	if s.Healable {
		s.Reason += healIt
	}
}

// healIt is the fix at the end of the reason of a healable state.
const healIt = "; heal it"

// hasOlderImage reports whether the image's name refers to another image since the container was created.
func (d *Docker) hasOlderImage(ctx context.Context, found container.InspectResponse) bool {
	image, err := d.api.ImageInspect(ctx, d.c.Image)
	return err == nil && strings.TrimPrefix(image.ID, "sha256:") != strings.TrimPrefix(found.Image, "sha256:")
}

// explainRestarts explains why the engine restarts a container. None of ours has a restart policy: the controller
// restarts them.
func (d *Docker) explainRestarts(ctx context.Context, found container.InspectResponse) string {
	why := fmt.Sprintf("it exits with code %d and its restart policy %s restarts it; run docker update --restart=no %s",
		found.State.ExitCode, found.HostConfig.RestartPolicy.Name, strings.TrimPrefix(found.Name, "/"))
	var last string
	err := d.readLog(ctx, found.ID, launcher.LogQuery{Tail: 20}, func(l launcher.Line) error {
		if l.Level == launcher.Error {
			last = "; its last error: " + l.Message
		}
		return nil
	})
	if err != nil {
		return why
	}
	return why + last
}

// missingNetworks returns the container's networks that no longer exist, for example because compose recreated them.
func (d *Docker) missingNetworks(ctx context.Context, found container.InspectResponse) []string {
	var gone []string
	for name, n := range found.NetworkSettings.Networks {
		_, err := d.api.NetworkInspect(ctx, cmp.Or(n.NetworkID, name), network.InspectOptions{})
		if cerrdefs.IsNotFound(err) {
			gone = append(gone, name)
		}
	}
	return gone
}

// telemetry returns the base URL of a container's telemetry: at a port published on loopback for a controller outside
// of containers, or at the container's address. It is empty if neither is reachable.
func (d *Docker) telemetry(ctx context.Context, found container.InspectResponse) string {
	if found.State.Status != container.StateRunning {
		return ""
	}
	e, err := d.env(ctx)
	if err != nil {
		return ""
	}
	if !e.inContainer {
		for _, p := range found.NetworkSettings.Ports[telemetryPort+"/tcp"] {
			if ip := net.ParseIP(p.HostIP); ip != nil && ip.IsLoopback() {
				return "http://" + net.JoinHostPort(p.HostIP, p.HostPort)
			}
		}
		if !e.reachable {
			return ""
		}
	}
	for _, n := range found.NetworkSettings.Networks {
		if n.IPAddress != "" {
			return "http://" + net.JoinHostPort(n.IPAddress, telemetryPort)
		}
	}
	if found.HostConfig.NetworkMode.IsHost() {
		return "http://127.0.0.1:" + telemetryPort
	}
	return ""
}

// parseTime parses a time of the engine, which uses the year 1 for none.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}
