package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Start implements launcher.Runtime.
func (d *Docker) Start(ctx context.Context) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	return d.start(ctx)
}

func (d *Docker) start(ctx context.Context) error {
	found, err := d.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		id, err := d.make(ctx)
		if err != nil {
			return err
		}
		return d.run(ctx, id)
	}
	if err != nil {
		return err
	}
	if found.State.Status == container.StateExited {
		stale, err := d.stale(ctx, found)
		if err != nil {
			return err
		}
		if stale {
			return d.replace(ctx, found, d.run)
		}
	}
	return d.goOn(ctx, found)
}

// stale reports whether a container is to be made anew before it is started: from a newer image, so that it reads the
// settings, or so that it can be asked for its numbers.
func (d *Docker) stale(ctx context.Context, found container.InspectResponse) (bool, error) {
	m, err := d.machine(ctx)
	if err != nil {
		return false, err
	}
	_, published := found.HostConfig.PortBindings[telemetryPort+"/tcp"]
	return d.older(ctx, found) || !slices.Contains(found.Config.Env, settingsFile) || !m.inside && !published, nil
}

// goOn starts a container that does not run.
func (d *Docker) goOn(ctx context.Context, found container.InspectResponse) error {
	switch found.State.Status {
	case container.StateRunning, container.StateRestarting:
		return nil
	case container.StatePaused, container.StateDead, container.StateRemoving:
		return fmt.Errorf("%w: it is %s; heal it", launcher.ErrInvalidState, found.State.Status)
	default:
		return d.run(ctx, found.ID)
	}
}

// run starts a container that is there.
func (d *Docker) run(ctx context.Context, id string) error {
	err := told(d.api.ContainerStart(ctx, id, container.StartOptions{}))
	if err == nil || errors.Is(err, launcher.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w; heal it", launcher.ErrInvalidState, err)
}

// Stop implements launcher.Runtime.
func (d *Docker) Stop(ctx context.Context, timeout time.Duration) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	return d.stop(ctx, timeout)
}

func (d *Docker) stop(ctx context.Context, timeout time.Duration) error {
	found, err := d.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.end(ctx, found, timeout)
}

// end asks the loadgen of a container to drain and has it killed after timeout.
func (d *Docker) end(ctx context.Context, found container.InspectResponse, timeout time.Duration) error {
	switch found.State.Status {
	case container.StateRunning, container.StateRestarting:
	case container.StatePaused:
		// A frozen process hears no signal.
		if err := d.api.ContainerUnpause(ctx, found.ID); err != nil {
			return fmt.Errorf("wake the loadgen: %w", told(err))
		}
	default:
		return nil
	}
	seconds := int(timeout.Round(time.Second) / time.Second)
	if err := d.api.ContainerStop(ctx, found.ID, container.StopOptions{Timeout: &seconds}); err != nil {
		return fmt.Errorf("stop the loadgen: %w", told(err))
	}
	return nil
}

// Restart implements launcher.Runtime.
func (d *Docker) Restart(ctx context.Context, timeout time.Duration) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.stop(ctx, timeout); err != nil {
		return err
	}
	return d.start(ctx)
}
