package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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

// Status implements launcher.Runtime.
func (d *Docker) Status(ctx context.Context) launcher.Status {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	found, err := d.find(ctx)
	s := d.status(ctx, d.c.Name, found, err)
	if s.State == launcher.Missing {
		s.Healable, s.Reason = true, "the container does not exist; start creates it from "+d.c.Image
		if _, err := d.api.ImageInspect(ctx, d.c.Image); cerrdefs.IsNotFound(err) {
			s.Healable = false
			s.Reason = "neither the container nor the image " + d.c.Image + " exists; build it with `make images` or set " +
				"LOADGEN_IMAGE to another"
		}
	}
	return s
}

// status returns the status of a container; found and findErr are the result of find or findJob.
func (d *Docker) status(ctx context.Context, name string, found container.InspectResponse,
	findErr error) launcher.Status {
	s := launcher.Status{Name: name, Image: d.c.Image}
	switch {
	case errors.Is(findErr, launcher.ErrMissing):
		s.State = launcher.Missing
		return s
	case errors.Is(findErr, launcher.ErrForeign):
		s.State, s.Reason = launcher.Foreign, findErr.Error()
	case findErr != nil:
		s.State, s.Reason = launcher.Unavailable, d.c.Engine.explain(findErr)
		return s
	}
	s.ID, s.Name, s.Image = found.ID, strings.TrimPrefix(found.Name, "/"), found.Config.Image
	s.Created, s.Started = parseTime(found.Created), parseTime(found.State.StartedAt)
	s.Ended, s.ExitCode = parseTime(found.State.FinishedAt), found.State.ExitCode
	if s.State != launcher.Foreign {
		s.State, s.Telemetry = states[found.State.Status], d.telemetry(ctx, found)
		d.explain(ctx, &s, found)
	}
	return s
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

// explain sets the reason why a container does not run where the state does not say it.
func (d *Docker) explain(ctx context.Context, s *launcher.Status, found container.InspectResponse) {
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
	last, err := d.tail(ctx, found.ID, launcher.LogQuery{Tail: 20})
	if err != nil {
		return why
	}
	for _, l := range slices.Backward(last) {
		if l.Level == launcher.Error {
			return why + "; its last error: " + l.Message
		}
	}
	return why
}

// missingNetworks returns the container's networks that no longer exist, for example because compose recreated them.
func (d *Docker) missingNetworks(ctx context.Context, found container.InspectResponse) []string {
	var gone []string
	for name, n := range found.NetworkSettings.Networks {
		if _, err := d.api.NetworkInspect(
			ctx,
			cmp.Or(n.NetworkID, name),
			network.InspectOptions{},
		); cerrdefs.IsNotFound(
			err,
		) {
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
