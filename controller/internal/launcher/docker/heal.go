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
		id, err := d.make(ctx)
		if err != nil {
			return "", err
		}
		if err := d.proven(ctx, id); err != nil {
			return "", d.undo(ctx, id, err)
		}
		return "the container was missing; it was made from " + d.c.Image + " and runs", nil
	}
	if err != nil {
		return "", err
	}
	switch s := d.Status(ctx); {
	case !s.Healable:
		return "", launcher.ErrNothingToHeal
	case s.State == launcher.Paused:
		if err := d.api.ContainerUnpause(ctx, found.ID); err != nil {
			return "", fmt.Errorf("wake the loadgen: %w", told(err))
		}
		return "the container was paused; it goes on", nil
	default:
		if err := d.replace(ctx, found, d.proven); err != nil {
			return "", err
		}
		return fmt.Sprintf("the container was %s (%s); it was recreated and runs", s.State,
			strings.TrimSuffix(s.Reason, healIt)), nil
	}
}

// replace makes the container anew. The old one steps aside under another name and comes back where the new one cannot
// be started, which start does.
func (d *Docker) replace(ctx context.Context, old container.InspectResponse,
	start func(context.Context, string) error) error {
	r, err := d.likeness(ctx, old)
	if err != nil {
		return err
	}
	aside := d.c.Name + "-old-" + old.ID[:12]
	if strings.TrimPrefix(old.Name, "/") != aside {
		if err := d.api.ContainerRename(ctx, old.ID, aside); err != nil {
			return fmt.Errorf("set the old container aside: %w", told(err))
		}
	}
	id, err := d.create(ctx, d.c.Name, r)
	if err == nil {
		if err = start(ctx, id); err != nil {
			err = d.undo(ctx, id, err)
		}
	}
	if err != nil {
		if back := d.api.ContainerRename(ctx, old.ID, d.c.Name); back != nil {
			err = errors.Join(err, fmt.Errorf("give the old container %s its name back: %w", aside, told(back)))
		}
		return err
	}
	if err := d.api.ContainerRemove(ctx, old.ID, container.RemoveOptions{Force: true}); err != nil {
		return fmt.Errorf("the new container runs; remove the old one %s: %w", aside, told(err))
	}
	return nil
}

// likeness is the recipe of a container that is there, without what came from its image or names what is gone.
func (d *Docker) likeness(ctx context.Context, old container.InspectResponse) (recipe, error) {
	r, err := d.fresh(ctx)
	if err != nil {
		return r, err
	}
	config, host := *old.Config, *old.HostConfig
	config.Image = d.c.Image
	if strings.HasPrefix(old.ID, config.Hostname) {
		config.Hostname = ""
	}
	if image, err := d.api.ImageInspect(ctx, old.Image); err == nil && image.Config != nil {
		config.Env = slices.DeleteFunc(slices.Clone(config.Env), func(v string) bool {
			return slices.Contains(image.Config.Env, v)
		})
		if slices.Equal(config.Cmd, image.Config.Cmd) {
			config.Cmd = nil
		}
		if slices.Equal(config.Entrypoint, image.Config.Entrypoint) {
			config.Entrypoint = nil
		}
		config.Healthcheck = nil // the image's; compose sets none
	}
	config.Labels = maps.Clone(config.Labels)
	for label, v := range r.config.Labels { // earlier versions made some without those of compose
		if config.Labels[label] == "" {
			config.Labels[label] = v
		}
	}
	if !slices.Contains(config.Env, settingsFile) {
		config.Env = append(slices.Clone(config.Env), settingsFile)
	}
	if len(r.host.PortBindings) > 0 {
		config.ExposedPorts, host.PortBindings = r.config.ExposedPorts, r.host.PortBindings
	}
	gone := d.lostNetworks(ctx, old)
	var networks []string
	for name := range old.NetworkSettings.Networks {
		if !slices.Contains(gone, name) {
			networks = append(networks, name)
		}
	}
	if len(networks) == 0 {
		networks = r.networks
		host.NetworkMode = ""
	}
	return recipe{config: &config, host: &host, networks: networks, alias: r.alias}, nil
}

// proven starts a container and waits whether it goes on running.
func (d *Docker) proven(ctx context.Context, id string) error {
	if err := d.run(ctx, id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d.c.HealTimeout)
	defer cancel()
	ended, failed := d.api.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case end := <-ended:
		if end.StatusCode == 0 {
			return nil // a run may be as short as that
		}
		return fmt.Errorf("%w: the new container ended with exit code %d", launcher.ErrInvalidState, end.StatusCode)
	case err := <-failed:
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return fmt.Errorf("watch the new container: %w", told(err))
	}
}

// undo removes a container that did not turn out well and returns why.
func (d *Docker) undo(ctx context.Context, id string, why error) error {
	if err := d.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true}); err != nil {
		return errors.Join(why, fmt.Errorf("remove it again: %w", told(err)))
	}
	return why
}
