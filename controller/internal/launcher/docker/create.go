package docker

import (
	"context"
	"fmt"
	"maps"
	"path"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// The labels by which compose knows its containers (docker/compose, pkg/api/labels.go).
const (
	composeProject = "com.docker.compose.project"
	composeService = "com.docker.compose.service"
	composeOneOff  = "com.docker.compose.oneoff"
	composeNumber  = "com.docker.compose.container-number"
	// composeHash is that of the settings that a container was made of. Without one compose takes a container for none
	// of its own (pkg/compose/containers.go), and one that is not its own hash lets `up` make the container anew.
	composeHash = "com.docker.compose.config-hash"
)

// composeLabels make a container one of compose, where the controller's own is.
func composeLabels(own container.InspectResponse) map[string]string {
	project := own.Config.Labels[composeProject]
	if project == "" {
		return nil
	}
	return map[string]string{
		composeProject: project, composeService: role, composeOneOff: "False", composeNumber: "1",
		composeHash: "made-by-the-controller",
	}
}

// settingsFile lets a loadgen read the settings that we write. Containers that were made before it was needed lack it,
// and are made anew when they are started.
const settingsFile = "LOADGEN_ENV_FILE=/app/data/" + exchange.EnvFile

// recipe is all that a container is made from.
type recipe struct {
	config   *container.Config
	host     *container.HostConfig
	networks []string // names; the first one the container is made with
	alias    []string // names by which those networks know it
}

// make creates our container from the image, as compose would.
func (d *Docker) make(ctx context.Context) (id string, err error) {
	r, err := d.fresh(ctx)
	if err != nil {
		return "", err
	}
	return d.create(ctx, d.c.Name, r)
}

// fresh is the recipe of docker-compose.webui.yml.
func (d *Docker) fresh(ctx context.Context) (recipe, error) {
	exchange, state := d.c.Exchange, d.c.State
	labels := map[string]string{RoleLabel: role, StackLabel: d.c.Stack}
	m, err := d.machine(ctx)
	if err != nil {
		return recipe{}, err
	}
	var networks []string
	if m.inside {
		own, _, err := d.self(ctx)
		if err != nil {
			return recipe{}, err
		}
		exchange, state = onHost(own.Mounts, exchange), onHost(own.Mounts, state)
		for name := range own.NetworkSettings.Networks {
			networks = append(networks, name)
		}
		maps.Copy(labels, composeLabels(own))
	}
	if !path.IsAbs(exchange) || !path.IsAbs(state) {
		return recipe{}, fmt.Errorf("the folders %q and %q have no place on the engine's machine; set DATA_DIR to "+
			"an absolute path", exchange, state)
	}
	patience := 15
	r := recipe{
		config: &container.Config{
			Image: d.c.Image, User: d.c.User, Labels: labels, StopTimeout: &patience,
			Env: []string{"AUTO_START=false", "TELEMETRY_ADDR=:" + telemetryPort, settingsFile},
		},
		host: &container.HostConfig{
			Mounts: []mount.Mount{
				{Type: mount.TypeBind, Source: exchange, Target: "/app/data", ReadOnly: true},
				{Type: mount.TypeBind, Source: state, Target: "/app/state"},
			},
			CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges:true"},
			ExtraHosts: []string{"host.docker.internal:host-gateway"},
			Resources:  d.limits(),
			LogConfig: container.LogConfig{Type: "json-file",
				Config: map[string]string{"max-size": "10m", "max-file": "3"}},
		},
		networks: networks, alias: []string{role},
	}
	if m.rootless {
		r.config.User = "0:0" // which is the user of this machine who runs the engine, and owns the folders
	}
	if !m.inside { // the engine may be in a network of its own; what it publishes is reached everywhere
		port := nat.Port(telemetryPort + "/tcp")
		r.config.ExposedPorts = nat.PortSet{port: {}}
		r.host.PortBindings = nat.PortMap{port: {{HostIP: "127.0.0.1"}}}
	}
	return r, nil
}

// limits are what a fault of ours may take of the engine's machine.
func (d *Docker) limits() container.Resources {
	processes := int64(1000)
	return container.Resources{Memory: d.c.Memory, PidsLimit: &processes}
}

// onHost is where a folder of the controller's container lies on the engine's machine.
func onHost(mounts []container.MountPoint, folder string) string {
	best, source := "", folder
	for _, m := range mounts {
		rest, within := strings.CutPrefix(folder+"/", strings.TrimSuffix(m.Destination, "/")+"/")
		if within && len(m.Destination) > len(best) {
			best, source = m.Destination, path.Join(m.Source, rest)
		}
	}
	return source
}

// create makes a container and joins it to its networks.
func (d *Docker) create(ctx context.Context, name string, r recipe) (id string, err error) {
	var first *network.NetworkingConfig
	alias := &network.EndpointSettings{Aliases: r.alias}
	if len(r.networks) > 0 {
		r.host.NetworkMode = container.NetworkMode(r.networks[0])
		if r.host.NetworkMode.IsUserDefined() {
			first = &network.NetworkingConfig{
				EndpointsConfig: map[string]*network.EndpointSettings{r.networks[0]: alias},
			}
		}
	}
	made, err := d.api.ContainerCreate(ctx, r.config, r.host, first, nil, name)
	if cerrdefs.IsNotFound(err) {
		return "", d.noImage(err)
	}
	// Docker and Podman refuse a folder that is not there in words alone.
	if err != nil && (strings.Contains(err.Error(), "bind source path does not exist") ||
		strings.Contains(err.Error(), "statfs ")) {
		return "", fmt.Errorf("make the container: %w; the engine's machine has no such folder: it is another one, "+
			"or DATA_DIR is not shared with its virtual machine", err)
	}
	if err != nil {
		return "", fmt.Errorf("make the container: %w", told(err))
	}
	for _, network := range r.networks[min(1, len(r.networks)):] {
		if err := d.api.NetworkConnect(ctx, network, made.ID, alias); err != nil {
			return "", d.undo(ctx, made.ID, fmt.Errorf("join network %s: %w", network, told(err)))
		}
	}
	return made.ID, nil
}

// noImage reports that there is nothing to make a container from.
func (d *Docker) noImage(err error) error {
	return fmt.Errorf("%w: the image %s is not there (%w); make it with `make images` or name another in LOADGEN_IMAGE",
		launcher.ErrMissing, d.c.Image, err)
}
