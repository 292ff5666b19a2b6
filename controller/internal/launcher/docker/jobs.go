package docker

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// jobRole is the role label of a job's container.
const jobRole = "backfill"

// JobName implements launcher.JobRuntime.
func (d *Docker) JobName(id string) string { return d.c.Name + "-" + jobRole + "-" + id }

// JobsDetached implements launcher.JobRuntime.
func (d *Docker) JobsDetached() bool { return true }

// findJob inspects a job's container. Errors: ErrMissing, ErrForeign, ErrUnavailable.
func (d *Docker) findJob(ctx context.Context, id string) (container.InspectResponse, error) {
	found, err := d.api.ContainerInspect(ctx, d.JobName(id))
	switch {
	case cerrdefs.IsNotFound(err):
		return found, launcher.ErrMissing
	case err != nil:
		return found, mapError(err)
	}
	if l := found.Config.Labels; l[RoleLabel] != jobRole || l[StackLabel] != d.c.Stack || l[RunLabel] != id {
		return found, fmt.Errorf("%w: the name %s is taken; rename that container", launcher.ErrForeign, d.JobName(id))
	}
	return found, nil
}

// Job implements launcher.JobRuntime.
func (d *Docker) Job(ctx context.Context, id string) launcher.Status {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	found, err := d.findJob(ctx, id)
	s := d.status(ctx, d.JobName(id), found, err)
	s.Healable = false // StartJob recreates it
	return s
}

// StartJob implements launcher.JobRuntime. A container that cannot be started, for example because its network was
// removed, is recreated: the job's progress is in its state folder.
func (d *Docker) StartJob(ctx context.Context, id string) error {
	found, err := d.findJob(ctx, id)
	if err == nil {
		if len(missingEnv(found)) == 0 || found.State.Running {
			if err := d.resume(ctx, found); !errors.Is(err, launcher.ErrInvalidState) {
				return err
			}
		}
		err = d.RemoveJob(ctx, id)
	}
	if err != nil && !errors.Is(err, launcher.ErrMissing) {
		return err
	}
	spec, err := d.newSpec(ctx)
	if err != nil {
		return err
	}
	// Without compose's labels: `up` would remove it as an extra loadgen, and `down` does not remove one-off containers
	// anyway. The controller stops its jobs when it ends.
	spec.config.Labels = map[string]string{RoleLabel: jobRole, StackLabel: d.c.Stack, RunLabel: id}
	spec.config.Env = append(spec.config.Env, "STATE_DIR="+path.Join(stateDir, exchange.JobFolder(id)))
	spec.host.Mounts[0].Source = path.Join(spec.host.Mounts[0].Source, exchange.JobFolder(id))
	spec.aliases = nil                                          // the loadgen's
	spec.config.ExposedPorts, spec.host.PortBindings = nil, nil // its progress is in its ledger
	created, err := d.create(ctx, d.JobName(id), spec)
	if err != nil {
		return err
	}
	return d.startContainer(ctx, created)
}

// StopJob implements launcher.JobRuntime.
func (d *Docker) StopJob(ctx context.Context, id string, timeout time.Duration) error {
	found, err := d.findJob(ctx, id)
	return d.stop(ctx, found, err, timeout)
}

// RemoveJob implements launcher.JobRuntime.
func (d *Docker) RemoveJob(ctx context.Context, id string) error {
	found, err := d.findJob(ctx, id)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if s := found.State.Status; s == container.StateRunning || s == container.StateRestarting ||
		s == container.StatePaused {
		return fmt.Errorf("%w: %s is still running; stop it first", launcher.ErrInvalidState, d.JobName(id))
	}
	err = d.api.ContainerRemove(ctx, found.ID, container.RemoveOptions{Force: true})
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("remove the job's container: %w", mapError(err))
	}
	return nil
}

// JobLogs implements launcher.JobRuntime.
func (d *Docker) JobLogs(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
	found, err := d.findJob(ctx, id)
	return d.logs(ctx, found, err, q, each)
}
