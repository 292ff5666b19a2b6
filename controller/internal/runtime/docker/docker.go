// Package docker owns the loadgen as a container: it finds it by its labels, makes it where it is missing, explains
// and heals what is stuck, and leaves alone what is not ours. It is the only place that knows the engine's SDK, and it
// knows nothing of what runs inside the container.
package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/puttrix/trafficinator/controller/internal/runtime"
)

// The labels that make a container ours.
const (
	RoleLabel  = "trafficinator.role"
	StackLabel = "trafficinator.stack"
	// RunLabel is the id of a job.
	RunLabel = "trafficinator.run"
	role     = "loadgen"
)

// Config says which container is kept.
type Config struct {
	// Host is the engine's address as in DOCKER_HOST; empty is Docker's default.
	Host string
	// Name and Image are those of the container, Stack the value of its label.
	Name, Image, Stack string
	// Hostname is that of the controller; inside a container it is the container's id, which tells the networks and
	// the host's folders that a container made here must share.
	Hostname string
	// Exchange and State are the folders as the controller sees them.
	Exchange, State string
	// User is uid:gid of who owns the folders.
	User string
	// Settling is how long the container that a heal makes must run to count as running; zero is two seconds.
	Settling time.Duration
}

// Docker is a runtime.Port.
type Docker struct {
	c   Config
	api *client.Client

	changing sync.Mutex // held while the state is being changed
}

var (
	_ runtime.Port = (*Docker)(nil)
	_ runtime.Jobs = (*Docker)(nil)
)

// telemetryPort is where the loadgen of a container listens.
const telemetryPort = "8010"

// askTime bounds a question to the engine, so that one that hangs is taken for one that is away.
const askTime = 5 * time.Second

// New makes a port. An engine that does not answer is no error: it may come.
func New(c Config) (*Docker, error) {
	options := []client.Opt{client.WithAPIVersionNegotiation()}
	if c.Host != "" {
		options = append(options, client.WithHost(c.Host))
	}
	api, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("DOCKER_HOST=%q: %w; write unix:///path or tcp://host:port", c.Host, err)
	}
	if c.Settling == 0 {
		c.Settling = 2 * time.Second
	}
	return &Docker{c: c, api: api}, nil
}

// Answers tells whether the engine answers now.
func (d *Docker) Answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	_, err := d.api.Ping(ctx)
	return err == nil
}

// Name implements runtime.Port.
func (d *Docker) Name() string { return "docker" }

// Close implements runtime.Port: the container goes on.
func (d *Docker) Close(context.Context, time.Duration) error { return d.api.Close() }

// told marks an engine that is away.
func told(err error) error {
	switch {
	case err == nil:
		return nil
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: %w", runtime.ErrUnavailable, err)
	default:
		return err
	}
}

// ours are the containers with our labels, the one by our name first.
func (d *Docker) ours(ctx context.Context) ([]container.Summary, error) {
	list, err := d.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", RoleLabel+"="+role), filters.Arg("label", StackLabel+"="+d.c.Stack))})
	if err != nil {
		return nil, told(err)
	}
	for i, c := range list {
		for _, name := range c.Names {
			if strings.TrimPrefix(name, "/") == d.c.Name {
				list[0], list[i] = list[i], list[0]
				return list, nil
			}
		}
	}
	return list, nil
}

// find inspects our container. Errors: ErrMissing, ErrForeign, ErrUnavailable.
func (d *Docker) find(ctx context.Context) (container.InspectResponse, error) {
	list, err := d.ours(ctx)
	if err != nil {
		return container.InspectResponse{}, err
	}
	if len(list) > 0 {
		found, err := d.api.ContainerInspect(ctx, list[0].ID)
		if cerrdefs.IsNotFound(err) { // removed since
			return found, runtime.ErrMissing
		}
		return found, told(err)
	}
	foreign, err := d.api.ContainerInspect(ctx, d.c.Name)
	switch {
	case cerrdefs.IsNotFound(err):
		return foreign, runtime.ErrMissing
	case err != nil:
		return foreign, told(err)
	default:
		return foreign, runtime.ErrForeign
	}
}

var states = map[container.ContainerState]runtime.State{
	container.StateCreated: runtime.Created, container.StateRunning: runtime.Running, container.StatePaused: runtime.Paused,
	container.StateRestarting: runtime.Restarting, container.StateRemoving: runtime.Dead, container.StateExited: runtime.Exited,
	container.StateDead: runtime.Dead,
}

// Status implements runtime.Port.
func (d *Docker) Status(ctx context.Context) runtime.Status {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	found, err := d.find(ctx)
	s := runtime.Status{Name: d.c.Name, Image: d.c.Image}
	switch {
	case errors.Is(err, runtime.ErrMissing):
		s.State, s.Healable = runtime.Missing, true
		s.Reason = "there is no container of this stack; start makes it from " + d.c.Image
		if _, err := d.api.ImageInspect(ctx, d.c.Image); cerrdefs.IsNotFound(err) {
			s.Healable = false
			s.Reason = "there is neither a container of this stack nor the image " + d.c.Image + "; make it with `make images` or name another in LOADGEN_IMAGE"
		}
		return s
	case errors.Is(err, runtime.ErrForeign):
		s.State = runtime.Foreign
		s.Reason = fmt.Sprintf("a container of the name %s is there without the labels %s=%s and %s=%s, so it is left alone; rename it, or choose another name in LOADGEN_CONTAINER",
			d.c.Name, RoleLabel, role, StackLabel, d.c.Stack)
	case err != nil:
		unavailable(&s, err)
		return s
	}
	d.describe(ctx, &s, found)
	return s
}

// unavailable tells of an engine that is away.
func unavailable(s *runtime.Status, err error) {
	s.State = runtime.Unavailable
	s.Reason = "the engine does not answer (" + err.Error() + "); start it, or give the controller access to its socket with DOCKER_GID in .env"
}

// describe tells how a container stands, which may be foreign.
func (d *Docker) describe(ctx context.Context, s *runtime.Status, found container.InspectResponse) {
	s.ID, s.Name, s.Image = found.ID, strings.TrimPrefix(found.Name, "/"), found.Config.Image
	s.Created, s.Started, s.Ended = moment(found.Created), moment(found.State.StartedAt), moment(found.State.FinishedAt)
	s.ExitCode = found.State.ExitCode
	if s.State == runtime.Foreign {
		return
	}
	s.State, s.Telemetry = states[found.State.Status], telemetry(found)
	d.explain(ctx, s, found)
}

// explain says why a container does not run where that does not speak for itself.
func (d *Docker) explain(ctx context.Context, s *runtime.Status, found container.InspectResponse) {
	switch s.State {
	case runtime.Running, runtime.Restarting:
		return
	case runtime.Created:
		s.Healable, s.Reason = true, "it was made and never started"
	case runtime.Dead:
		s.Healable, s.Reason = true, "the engine could not remove it and cannot start it"
	case runtime.Paused:
		s.Healable, s.Reason = true, "somebody paused it"
	}
	if found.State.Error != "" {
		s.Reason = joined(s.Reason, "the engine says: "+found.State.Error)
	}
	if found.State.OOMKilled {
		s.Reason = joined(s.Reason, "it was killed because memory ran out")
	}
	if gone := d.lostNetworks(ctx, found); len(gone) > 0 {
		s.Healable = true
		s.Reason = joined(s.Reason, "its network "+strings.Join(gone, ", ")+" is gone, so that it cannot start")
	}
	if s.Healable {
		s.Reason += "; heal it"
	}
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// lostNetworks are the container's networks that are no more, which happens when compose made them anew.
func (d *Docker) lostNetworks(ctx context.Context, found container.InspectResponse) []string {
	var gone []string
	for name, n := range found.NetworkSettings.Networks {
		id := n.NetworkID
		if id == "" {
			id = name
		}
		if _, err := d.api.NetworkInspect(ctx, id, network.InspectOptions{}); cerrdefs.IsNotFound(err) {
			gone = append(gone, name)
		}
	}
	return gone
}

// telemetry is the container's own address, which the engine's machine and the containers of its network can reach.
func telemetry(found container.InspectResponse) string {
	if found.State.Status != container.StateRunning {
		return ""
	}
	for _, n := range found.NetworkSettings.Networks {
		if n.IPAddress != "" {
			return "http://" + n.IPAddress + ":" + telemetryPort
		}
	}
	if found.HostConfig.NetworkMode.IsHost() {
		return "http://127.0.0.1:" + telemetryPort
	}
	return ""
}

// moment reads the engine's times; its year 1 is none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}
