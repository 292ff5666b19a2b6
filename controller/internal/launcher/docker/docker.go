// Package docker runs loadgens as containers: it finds its container by labels, creates it if it is missing, explains
// and heals broken states, and never touches other containers. Only this package uses the engine's SDK. It does not
// depend on what runs inside a container.
package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	RunLabel   = "trafficinator.run" // the ID of a job
)

// The values of RoleLabel.
const (
	mainRole = "loadgen"
	jobRole  = "backfill"
	planRole = "plan" // runs the plan command
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
	*loadgen // the main one
	c        Config
	api      *client.Client

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
	d := &Docker{c: c, api: api}
	d.loadgen = &loadgen{d: d, name: c.Name, labels: d.roleLabels(mainRole)}
	return d, nil
}

func (d *Docker) roleLabels(role string) map[string]string {
	return map[string]string{RoleLabel: role, StackLabel: d.c.Stack}
}

// Name implements launcher.Runtime.
func (d *Docker) Name() string { return "docker" }

// Close implements launcher.Runtime. Containers keep running.
func (d *Docker) Close(context.Context, time.Duration) error { return d.api.Close() }

// JobName implements launcher.JobRuntime.
func (d *Docker) JobName(id string) string { return launcher.JobName(d.c.Name, id) }

// JobsDetached implements launcher.JobRuntime.
func (d *Docker) JobsDetached() bool { return true }

// Job implements launcher.JobRuntime.
func (d *Docker) Job(id string) launcher.Loadgen { return d.job(id) }

func (d *Docker) job(id string) *loadgen {
	labels := d.roleLabels(jobRole)
	labels[RunLabel] = id
	return &loadgen{d: d, name: d.JobName(id), jobID: id, labels: labels}
}

// RemoveJob implements launcher.JobRuntime.
func (d *Docker) RemoveJob(ctx context.Context, id string) error {
	job := d.job(id)
	found, err := job.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if s := found.State.Status; s == container.StateRunning || s == container.StateRestarting ||
		s == container.StatePaused {
		return launcher.JobRunningError(job.name)
	}
	return d.remove(ctx, found.ID, "remove the job's container")
}

// remove kills and removes a container; what describes that in an error. A missing container is no error.
func (d *Docker) remove(ctx context.Context, id, what string) error {
	err := d.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("%s: %w", what, mapError(err))
	}
	return nil
}

// mapError wraps launcher.ErrUnavailable around errors of the connection to the engine.
func mapError(err error) error {
	if client.IsErrConnectionFailed(err) {
		return fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
	}
	return err
}

// findContainer inspects the container with the labels; if there are several, the one with the name. Errors:
// ErrMissing, ErrForeign, ErrUnavailable.
func (d *Docker) findContainer(ctx context.Context, name string,
	labels map[string]string) (container.InspectResponse, error) {
	var pairs []string
	with := filters.NewArgs()
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, label+"="+labels[label])
		with.Add("label", label+"="+labels[label])
	}
	list, err := d.api.ContainerList(ctx, container.ListOptions{All: true, Filters: with})
	if err != nil {
		return container.InspectResponse{}, mapError(err)
	}
	wanted := name
	if len(list) > 0 {
		named := slices.IndexFunc(list, func(c container.Summary) bool { return slices.Contains(c.Names, "/"+name) })
		wanted = list[max(0, named)].ID
	}
	found, err := d.api.ContainerInspect(ctx, wanted)
	switch {
	case cerrdefs.IsNotFound(err): // or removed in the meantime
		return found, launcher.ErrMissing
	case err != nil:
		return found, mapError(err)
	case len(list) > 0:
		return found, nil
	default:
		return found, fmt.Errorf("%w: the container %s does not have the labels %s; rename it, or set "+
			"LOADGEN_CONTAINER to another name", launcher.ErrForeign, name, strings.Join(pairs, " and "))
	}
}
