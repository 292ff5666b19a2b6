// Package docker owns the loadgen as a container: it finds it by its labels, makes it where it is missing, explains
// and heals what is stuck, and leaves alone what is not ours. It is the only place that knows the engine's SDK, and it
// knows nothing of what runs inside the container.
package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
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
	// Engine is what is used.
	Engine Engine
	// Name and Image are those of the container, Stack the value of its label.
	Name, Image, Stack string
	// Hostname is that of the controller; inside a container it is the container's id, which tells the networks and
	// the host's folders that a container made here must share.
	Hostname string
	// Exchange and State are the folders as the controller sees them.
	Exchange, State string
	// User is uid:gid of who owns the folders.
	User string
	// Memory is the most that a container made here may take, in bytes; 0 is no limit.
	Memory int64
	// Settling is how long the container that a heal makes must run to count as running; zero is two seconds.
	HealTimeout time.Duration
}

// Docker is a launcher.Runtime.
type Docker struct {
	c   Config
	api *client.Client

	changing sync.Mutex // held while the state is being changed

	asking sync.Mutex // held while the engine is asked for what follows, which is nil before
	where  *machine
}

var (
	_ launcher.Runtime    = (*Docker)(nil)
	_ launcher.JobRuntime = (*Docker)(nil)
)

// telemetryPort is where the loadgen of a container listens.
const telemetryPort = "8010"

// askTime bounds a question to the engine, so that one that hangs is taken for one that is away.
const askTime = 5 * time.Second

// New makes a port. An engine that does not answer is no error: it may come.
func New(c Config) (*Docker, error) {
	api, err := c.Engine.connect()
	if err != nil {
		return nil, err
	}
	if c.HealTimeout == 0 {
		c.HealTimeout = 2 * time.Second
	}
	return &Docker{c: c, api: api}, nil
}

// Name implements launcher.Runtime.
func (d *Docker) Name() string { return "docker" }

// Close implements launcher.Runtime: the container goes on.
func (d *Docker) Close(context.Context, time.Duration) error { return d.api.Close() }

// told marks an engine that is away.
func told(err error) error {
	switch {
	case err == nil:
		return nil
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
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
			return found, launcher.ErrMissing
		}
		return found, told(err)
	}
	foreign, err := d.api.ContainerInspect(ctx, d.c.Name)
	switch {
	case cerrdefs.IsNotFound(err):
		return foreign, launcher.ErrMissing
	case err != nil:
		return foreign, told(err)
	default:
		return foreign, fmt.Errorf("%w: a container of the name %s is there without the labels %s=%s and %s=%s, so "+
			"it is left alone; rename it, or choose another name in LOADGEN_CONTAINER",
			launcher.ErrForeign, d.c.Name, RoleLabel, role, StackLabel, d.c.Stack)
	}
}

var states = map[container.ContainerState]launcher.State{
	container.StateCreated: launcher.Created, container.StateRunning: launcher.Running,
	container.StatePaused:     launcher.Paused,
	container.StateRestarting: launcher.Restarting, container.StateRemoving: launcher.Dead,
	container.StateExited: launcher.Exited,
	container.StateDead:   launcher.Dead,
}

// Status implements launcher.Runtime.
func (d *Docker) Status(ctx context.Context) launcher.Status {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	found, err := d.find(ctx)
	s := d.status(ctx, d.c.Name, found, err)
	if s.State == launcher.Missing {
		s.Healable = true
		s.Reason = "there is no container of this stack; start makes it from " + d.c.Image
		if _, err := d.api.ImageInspect(ctx, d.c.Image); cerrdefs.IsNotFound(err) {
			s.Healable = false
			s.Reason = "there is neither a container of this stack nor the image " + d.c.Image +
				"; make it with `make images` or name another in LOADGEN_IMAGE"
		}
	}
	return s
}

// status is that of a container that was looked for by its name: found, or not for err.
func (d *Docker) status(ctx context.Context, name string, found container.InspectResponse, err error) launcher.Status {
	s := launcher.Status{Name: name, Image: d.c.Image}
	switch {
	case errors.Is(err, launcher.ErrMissing):
		s.State = launcher.Missing
		return s
	case errors.Is(err, launcher.ErrForeign):
		s.State, s.Reason = launcher.Foreign, err.Error()
	case err != nil:
		d.unavailable(&s, err)
		return s
	}
	d.describe(ctx, &s, found)
	return s
}

// unavailable tells of an engine that is away.
func (d *Docker) unavailable(s *launcher.Status, err error) {
	s.State = launcher.Unavailable
	cure := "start it, or give the controller access to its socket with DOCKER_SOCKET and DOCKER_GID in .env, which " +
		"`make up` writes"
	if !strings.HasPrefix(d.c.Engine.Host, "unix:") {
		cure = "start it, or check DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"
	}
	s.Reason = fmt.Sprintf("the engine at %s (%s) does not answer (%v); %s", d.c.Engine.Host,
		d.c.Engine.Source, err, cure)
}

// describe tells how a container stands, which may be foreign.
func (d *Docker) describe(ctx context.Context, s *launcher.Status, found container.InspectResponse) {
	s.ID, s.Name, s.Image = found.ID, strings.TrimPrefix(found.Name, "/"), found.Config.Image
	s.Created, s.Started, s.Ended = moment(found.Created), moment(found.State.StartedAt), moment(found.State.FinishedAt)
	s.ExitCode = found.State.ExitCode
	if s.State == launcher.Foreign {
		return
	}
	s.State, s.Telemetry = states[found.State.Status], d.telemetry(ctx, found)
	d.explain(ctx, s, found)
}

// explain says why a container does not run where that does not speak for itself.
func (d *Docker) explain(ctx context.Context, s *launcher.Status, found container.InspectResponse) {
	if d.older(ctx, found) {
		s.Reason = "it was made from an older image of " + d.c.Image + "; the next start makes it from the new one"
	}
	switch s.State {
	case launcher.Running:
		return
	case launcher.Restarting:
		s.Reason = joined(s.Reason, d.restarting(ctx, found))
		return
	case launcher.Created:
		s.Healable, s.Reason = true, joined("it was made and never started", s.Reason)
	case launcher.Dead:
		s.Healable, s.Reason = true, joined("the engine could not remove it and cannot start it", s.Reason)
	case launcher.Paused:
		s.Healable, s.Reason = true, joined("somebody paused it", s.Reason)
	}
	if found.State.Error != "" {
		s.Reason = joined(s.Reason, "the engine says: "+found.State.Error)
	}
	if found.State.OOMKilled {
		s.Reason = joined(s.Reason,
			"it was killed because memory ran out; give it more with LOADGEN_MEMORY, or lower the load")
	}
	if gone := d.lostNetworks(ctx, found); len(gone) > 0 {
		s.Healable = true
		s.Reason = joined(s.Reason, "its network "+strings.Join(gone, ", ")+" is gone, so that it cannot start")
	}
	if s.Healable {
		s.Reason += healIt
	}
}

// healIt is the cure of what Heal puts right, at the end of its reason.
const healIt = "; heal it"

// older reports whether a container was made from another image than the name has now.
func (d *Docker) older(ctx context.Context, found container.InspectResponse) bool {
	image, err := d.api.ImageInspect(ctx, d.c.Image)
	return err == nil && strings.TrimPrefix(image.ID, "sha256:") != strings.TrimPrefix(found.Image, "sha256:")
}

// restarting says why a container is started again and again, which none of ours is: the controller does that.
func (d *Docker) restarting(ctx context.Context, found container.InspectResponse) string {
	name := strings.TrimPrefix(found.Name, "/")
	why := fmt.Sprintf("it ends with exit code %d, and its restart policy %s starts it again; docker update "+
		"--restart=no %s",
		found.State.ExitCode, found.HostConfig.RestartPolicy.Name, name)
	last, err := d.tail(ctx, found.ID, launcher.LogQuery{Tail: 20})
	if err != nil {
		return why
	}
	for _, l := range slices.Backward(last) {
		if l.Level == launcher.Error {
			return why + "; it said: " + l.Text
		}
	}
	return why
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

// telemetry is where the loadgen in a container can be asked from here: at the container's own address, or at the port
// that is published of one that was made for a controller outside. It is empty where neither can be reached.
func (d *Docker) telemetry(ctx context.Context, found container.InspectResponse) string {
	if found.State.Status != container.StateRunning {
		return ""
	}
	for _, p := range found.NetworkSettings.Ports[telemetryPort+"/tcp"] {
		if ip := net.ParseIP(p.HostIP); ip != nil && ip.IsLoopback() {
			if m, err := d.machine(ctx); err == nil && !m.inside {
				return "http://" + net.JoinHostPort(p.HostIP, p.HostPort)
			}
		}
	}
	if m, err := d.machine(ctx); err != nil || !m.inside && !m.reachable {
		return ""
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

// moment reads the engine's times; its year 1 is none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}
