package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Heal implements launcher.Runtime.
func (d *Docker) Heal(ctx context.Context) (string, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	found, err := d.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		spec, err := d.spec(ctx)
		if err != nil {
			return "", err
		}
		if err := d.createOrUndo(ctx, spec, d.startAndVerify); err != nil {
			return "", err
		}
		return "the container was missing; it was created from " + d.c.Image + " and is running", nil
	}
	if err != nil {
		return "", err
	}
	switch s := d.Status(ctx); {
	case !s.Healable:
		return "", launcher.ErrNothingToHeal
	case s.State == launcher.Paused:
		return "the container was paused; it is running again", d.unpause(ctx, found.ID)
	default:
		if err := d.replace(ctx, found, d.startAndVerify); err != nil {
			return "", err
		}
		return fmt.Sprintf("the container was %s (%s); it was recreated and is running", s.State,
			strings.TrimSuffix(s.Reason, healIt)), nil
	}
}

// replace recreates a container. The old one is renamed, and gets its name back if start fails for the new one.
func (l *loadgen) replace(ctx context.Context, old container.InspectResponse,
	start func(context.Context, string) error) error {
	d := l.d
	spec, err := l.specOf(ctx, old)
	if err != nil {
		return err
	}
	aside := d.c.Name + "-old-" + old.ID[:12]
	if strings.TrimPrefix(old.Name, "/") != aside {
		if err := d.api.ContainerRename(ctx, old.ID, aside); err != nil {
			return fmt.Errorf("rename the old container: %w", mapError(err))
		}
	}
	if err := l.createOrUndo(ctx, spec, start); err != nil {
		if back := d.api.ContainerRename(ctx, old.ID, d.c.Name); back != nil {
			err = errors.Join(err, fmt.Errorf("rename the old container %s back: %w", aside, mapError(back)))
		}
		return err
	}
	return d.remove(ctx, old.ID, "the new container is running; remove the old one "+aside)
}

// createOrUndo creates and starts a container, and removes it if start fails.
func (l *loadgen) createOrUndo(ctx context.Context, spec containerSpec,
	start func(context.Context, string) error) error {
	id, err := l.create(ctx, spec)
	if err == nil {
		if err = start(ctx, id); err != nil {
			err = errors.Join(err, l.d.remove(ctx, id, "remove it again"))
		}
	}
	return err
}

// specOf returns the spec of an existing container, without what its image set and what no longer exists, and with what
// spec requires.
func (l *loadgen) specOf(ctx context.Context, old container.InspectResponse) (containerSpec, error) {
	d := l.d
	fresh, err := l.spec(ctx)
	if err != nil {
		return fresh, err
	}
	config, host := *old.Config, *old.HostConfig
	config.Image = d.c.Image
	if strings.HasPrefix(old.ID, config.Hostname) {
		config.Hostname = ""
	}
	config.Env = append(slices.Clone(config.Env), missingEnv(old)...)
	if image, err := d.api.ImageInspect(ctx, old.Image); err == nil && image.Config != nil {
		config.Env = slices.DeleteFunc(config.Env, func(v string) bool { return slices.Contains(image.Config.Env, v) })
		if slices.Equal(config.Cmd, image.Config.Cmd) {
			config.Cmd = nil
		}
		if slices.Equal(config.Entrypoint, image.Config.Entrypoint) {
			config.Entrypoint = nil
		}
		config.Healthcheck = nil // is the image's; compose sets none
	}
	config.Labels = maps.Clone(config.Labels)
	for label, v := range fresh.config.Labels { // earlier versions omitted those of compose
		if config.Labels[label] == "" {
			config.Labels[label] = v
		}
	}
	if len(fresh.host.PortBindings) > 0 {
		config.ExposedPorts, host.PortBindings = fresh.config.ExposedPorts, fresh.host.PortBindings
	}
	gone := d.missingNetworks(ctx, old)
	var networks []string
	for name := range old.NetworkSettings.Networks {
		if !slices.Contains(gone, name) {
			networks = append(networks, name)
		}
	}
	if len(networks) == 0 {
		networks, host.NetworkMode = fresh.networks, ""
	}
	return containerSpec{config: &config, host: &host, networks: networks, aliases: fresh.aliases}, nil
}

// startAndVerify starts a container and waits until it has run for HealTimeout.
func (d *Docker) startAndVerify(ctx context.Context, id string) error {
	if err := d.startContainer(ctx, id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d.c.HealTimeout)
	defer cancel()
	exited, failed := d.api.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case exit := <-exited:
		if exit.StatusCode == 0 {
			return nil // a run can be that short
		}
		return fmt.Errorf("%w: the new container ended with exit code %d", launcher.ErrInvalidState, exit.StatusCode)
	case err := <-failed:
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return fmt.Errorf("wait for the new container: %w", mapError(err))
	}
}
