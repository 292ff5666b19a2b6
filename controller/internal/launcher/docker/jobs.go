package docker

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// jobRole is the label of a job's container.
const jobRole = "backfill"

// JobName implements launcher.JobRuntime.
func (d *Docker) JobName(id string) string { return d.c.Name + "-" + jobRole + "-" + id }

// JobsDetached implements launcher.JobRuntime.
func (d *Docker) JobsDetached() bool { return true }

// job inspects the container of a job. Errors: ErrMissing, ErrForeign, ErrUnavailable.
func (d *Docker) job(ctx context.Context, id string) (container.InspectResponse, error) {
	found, err := d.api.ContainerInspect(ctx, d.JobName(id))
	switch {
	case cerrdefs.IsNotFound(err):
		return found, launcher.ErrMissing
	case err != nil:
		return found, told(err)
	}
	if l := found.Config.Labels; l[RoleLabel] != jobRole || l[StackLabel] != d.c.Stack || l[RunLabel] != id {
		return found, fmt.Errorf("%w: the name %s is taken; rename that container", launcher.ErrForeign, d.JobName(id))
	}
	return found, nil
}

// Job implements launcher.JobRuntime.
func (d *Docker) Job(ctx context.Context, id string) launcher.Status {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	found, err := d.job(ctx, id)
	s := d.status(ctx, d.JobName(id), found, err)
	s.Healable = false // a job that is stuck is removed and started anew
	return s
}

// StartJob implements launcher.JobRuntime. A container that cannot be started, such as one whose network is gone, is made
// anew: what a job has done is in its state folder.
func (d *Docker) StartJob(ctx context.Context, id string) error {
	found, err := d.job(ctx, id)
	if err == nil {
		if slices.Contains(found.Config.Env, settingsFile) || found.State.Running {
			if err := d.goOn(ctx, found); !errors.Is(err, launcher.ErrInvalidState) {
				return err
			}
		}
		err = d.RemoveJob(ctx, id)
	}
	if err != nil && !errors.Is(err, launcher.ErrMissing) {
		return err
	}
	r, err := d.freshJob(ctx, id)
	if err != nil {
		return err
	}
	made, err := d.create(ctx, d.JobName(id), r)
	if err != nil {
		return err
	}
	return d.run(ctx, made)
}

// freshJob is the recipe of a job: that of the loadgen with folders of its own, and not known by the loadgen's name.
func (d *Docker) freshJob(ctx context.Context, id string) (recipe, error) {
	r, err := d.fresh(ctx)
	if err != nil {
		return r, err
	}
	// Compose is not to know it: `up` would remove it as one loadgen too many, and `down` leaves even the containers of
	// `compose run` alone. The controller ends its jobs with itself.
	r.config.Labels = map[string]string{RoleLabel: jobRole, StackLabel: d.c.Stack, RunLabel: id}
	r.config.Env = append(r.config.Env, "STATE_DIR=/app/state/"+exchange.JobFolder(id))
	r.host.Mounts[0].Source = path.Join(r.host.Mounts[0].Source, exchange.JobFolder(id))
	r.alias = nil
	r.config.ExposedPorts, r.host.PortBindings = nil, nil // its ledger tells how far it is
	return r, nil
}

// StopJob implements launcher.JobRuntime.
func (d *Docker) StopJob(ctx context.Context, id string, timeout time.Duration) error {
	found, err := d.job(ctx, id)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.end(ctx, found, timeout)
}

// RemoveJob implements launcher.JobRuntime.
func (d *Docker) RemoveJob(ctx context.Context, id string) error {
	found, err := d.job(ctx, id)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if s := found.State.Status; s == container.StateRunning || s == container.StateRestarting ||
		s == container.StatePaused {
		return fmt.Errorf("%w: %s still runs; stop it first", launcher.ErrInvalidState, d.JobName(id))
	}
	if err := d.api.ContainerRemove(ctx, found.ID, container.RemoveOptions{Force: true}); err != nil &&
		!cerrdefs.IsNotFound(err) {
		return fmt.Errorf("remove the job's container: %w", told(err))
	}
	return nil
}

// JobLogs implements launcher.JobRuntime.
func (d *Docker) JobLogs(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
	found, err := d.job(ctx, id)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.log(ctx, found.ID, q, each)
}
