// Package docker runs loadgens as containers: it finds its container by labels, creates it if it is missing, explains
// and heals broken states, and never touches other containers. Only this package uses the engine's SDK. It does not
// know what runs inside a container.
package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// The labels of our containers.
const (
	RoleLabel  = "trafficinator.role"
	StackLabel = "trafficinator.stack"
	// RunLabel is the id of a job.
	RunLabel = "trafficinator.run"
	role     = "loadgen"
)

// Config configures a Docker.
type Config struct {
	Engine Engine
	// Name and Image are those of the container, Stack is the value of its label.
	Name, Image, Stack string
	// Hostname is that of the controller. Inside a container it is the container's ID, by which its networks and
	// mounts are found.
	Hostname string
	// Exchange and State are the folders as the controller sees them.
	Exchange, State string
	// User is the uid:gid that owns the folders.
	User string
	// Memory is the memory limit of a container, in bytes; 0 is no limit.
	Memory int64
	// HealTimeout is how long a healed container must run to count as healthy; 0 is two seconds.
	HealTimeout time.Duration
}

// Docker implements launcher.Runtime and launcher.JobRuntime with containers. Use New.
type Docker struct {
	c   Config
	api *client.Client

	changing sync.Mutex // held while the container is changed

	inspecting  sync.Mutex // guards environment
	environment *environment
}

var (
	_ launcher.Runtime    = (*Docker)(nil)
	_ launcher.JobRuntime = (*Docker)(nil)
)

// telemetryPort is the port of a container's telemetry.
const telemetryPort = "8010"

// statusTimeout limits a query to the engine, so that one that hangs counts as unavailable.
const statusTimeout = 5 * time.Second

// New returns a Docker. The engine need not be available yet.
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

// Close implements launcher.Runtime. The container keeps running.
func (d *Docker) Close(context.Context, time.Duration) error { return d.api.Close() }

// Start implements launcher.Runtime.
func (d *Docker) Start(ctx context.Context) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	return d.start(ctx)
}

func (d *Docker) start(ctx context.Context) error {
	found, err := d.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		id, err := d.createMain(ctx)
		if err != nil {
			return err
		}
		return d.startContainer(ctx, id)
	}
	if err != nil {
		return err
	}
	if found.State.Status == container.StateExited {
		outdated, err := d.outdated(ctx, found)
		if err != nil {
			return err
		}
		if outdated {
			return d.replace(ctx, found, d.startContainer)
		}
	}
	return d.resume(ctx, found)
}

// outdated reports whether a container must be recreated before it is started: it has an older image, lacks requiredEnv,
// or does not publish the telemetry port that the controller needs.
func (d *Docker) outdated(ctx context.Context, found container.InspectResponse) (bool, error) {
	e, err := d.env(ctx)
	if err != nil {
		return false, err
	}
	_, published := found.HostConfig.PortBindings[telemetryPort+"/tcp"]
	return d.hasOlderImage(ctx, found) || len(missingEnv(found)) > 0 || !e.inContainer && !published, nil
}

// resume starts an existing container unless it runs.
func (d *Docker) resume(ctx context.Context, found container.InspectResponse) error {
	switch found.State.Status {
	case container.StateRunning, container.StateRestarting:
		return nil
	case container.StatePaused, container.StateDead, container.StateRemoving:
		return fmt.Errorf("%w: it is %s; heal it", launcher.ErrInvalidState, found.State.Status)
	default:
		return d.startContainer(ctx, found.ID)
	}
}

func (d *Docker) startContainer(ctx context.Context, id string) error {
	err := mapError(d.api.ContainerStart(ctx, id, container.StartOptions{}))
	if err == nil || errors.Is(err, launcher.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w; heal it", launcher.ErrInvalidState, err)
}

// Stop implements launcher.Runtime.
func (d *Docker) Stop(ctx context.Context, timeout time.Duration) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	found, err := d.find(ctx)
	return d.stop(ctx, found, err, timeout)
}

// stop asks the loadgen of a container to drain and kills it after timeout. found and findErr are the result of find
// or findJob; a missing container is no error.
func (d *Docker) stop(
	ctx context.Context,
	found container.InspectResponse,
	findErr error,
	timeout time.Duration,
) error {
	if errors.Is(findErr, launcher.ErrMissing) {
		return nil
	}
	if findErr != nil {
		return findErr
	}
	switch found.State.Status {
	case container.StateRunning, container.StateRestarting:
	case container.StatePaused:
		// A paused process does not receive signals.
		if err := d.api.ContainerUnpause(ctx, found.ID); err != nil {
			return fmt.Errorf("unpause the loadgen: %w", mapError(err))
		}
	default:
		return nil
	}
	seconds := int(timeout.Round(time.Second) / time.Second)
	if err := d.api.ContainerStop(ctx, found.ID, container.StopOptions{Timeout: &seconds}); err != nil {
		return fmt.Errorf("stop the loadgen: %w", mapError(err))
	}
	return nil
}

// Restart implements launcher.Runtime.
func (d *Docker) Restart(ctx context.Context, timeout time.Duration) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	found, err := d.find(ctx)
	if err := d.stop(ctx, found, err, timeout); err != nil {
		return err
	}
	return d.start(ctx)
}

// mapError wraps launcher.ErrUnavailable around errors of the connection to the engine.
func mapError(err error) error {
	if client.IsErrConnectionFailed(err) {
		return fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
	}
	return err
}

// find inspects the loadgen's container; if there are several, the one with the configured name. Errors: ErrMissing,
// ErrForeign, ErrUnavailable.
func (d *Docker) find(ctx context.Context) (container.InspectResponse, error) {
	list, err := d.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", RoleLabel+"="+role), filters.Arg("label", StackLabel+"="+d.c.Stack))})
	if err != nil {
		return container.InspectResponse{}, mapError(err)
	}
	if len(list) > 0 {
		named := slices.IndexFunc(
			list,
			func(c container.Summary) bool { return slices.Contains(c.Names, "/"+d.c.Name) },
		)
		found, err := d.api.ContainerInspect(ctx, list[max(0, named)].ID)
		if cerrdefs.IsNotFound(err) { // removed in the meantime
			return found, launcher.ErrMissing
		}
		return found, mapError(err)
	}
	foreign, err := d.api.ContainerInspect(ctx, d.c.Name)
	switch {
	case cerrdefs.IsNotFound(err):
		return foreign, launcher.ErrMissing
	case err != nil:
		return foreign, mapError(err)
	default:
		return foreign, fmt.Errorf("%w: the container %s does not have the labels %s=%s and %s=%s; rename it, or set "+
			"LOADGEN_CONTAINER to another name", launcher.ErrForeign, d.c.Name, RoleLabel, role, StackLabel, d.c.Stack)
	}
}
