package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/logline"
)

// The labels by which compose recognizes its containers (docker/compose, pkg/api/labels.go).
const (
	composeProject = "com.docker.compose.project"
	composeService = "com.docker.compose.service"
	composeOneOff  = "com.docker.compose.oneoff"
	composeNumber  = "com.docker.compose.container-number"
	// composeHash is the hash of the container's configuration. Compose ignores containers without it
	// (pkg/compose/containers.go), and `up` recreates those with another hash.
	composeHash = "com.docker.compose.config-hash"
)

// composeLabels returns the labels that make a container part of the compose project of the controller's own container.
func composeLabels(own container.InspectResponse) map[string]string {
	project := own.Config.Labels[composeProject]
	if project == "" {
		return nil
	}
	return map[string]string{
		composeProject: project, composeService: mainRole, composeOneOff: "False", composeNumber: "1",
		composeHash: "made-by-the-controller",
	}
}

// exchangeDir and stateDir are the folders in a container.
const (
	exchangeDir = "/app/data"
	stateDir    = "/app/state"
)

// requiredEnv is the environment that a container needs to read the controller's settings and to write a log that the
// controller parses. Containers that older versions created lack it; they are recreated when they are started.
var requiredEnv = []string{"LOADGEN_ENV_FILE=" + exchangeDir + "/" + exchange.EnvFile, logline.Environ}

// missingEnv returns the part of requiredEnv that a container lacks.
func missingEnv(found container.InspectResponse) []string {
	return slices.DeleteFunc(slices.Clone(requiredEnv), func(v string) bool {
		return slices.Contains(found.Config.Env, v)
	})
}

// containerSpec is everything a container is created from.
type containerSpec struct {
	config   *container.Config
	host     *container.HostConfig
	networks []string // names
	aliases  []string // names of the container in these networks
}

// spec returns the container of docker-compose.webui.yml, or one like it for a job.
func (l *loadgen) spec(ctx context.Context) (containerSpec, error) {
	d, folder := l.d, ""
	if l.jobID != "" {
		folder = exchange.JobFolder(l.jobID)
	}
	exchangeFrom, stateFrom, labels := d.c.Exchange, d.c.State, maps.Clone(l.labels)
	e, err := d.env(ctx)
	if err != nil {
		return containerSpec{}, err
	}
	var networks []string
	if e.inContainer {
		own, _, err := d.self(ctx)
		if err != nil {
			return containerSpec{}, err
		}
		exchangeFrom, stateFrom = hostPath(own.Mounts, exchangeFrom), hostPath(own.Mounts, stateFrom)
		networks = slices.Collect(maps.Keys(own.NetworkSettings.Networks))
		// A job has no labels of compose: `up` would remove it as an extra loadgen, and `down` does not remove one-off
		// containers anyway. The controller stops its jobs when it ends.
		if l.jobID == "" {
			maps.Copy(labels, composeLabels(own))
		}
	}
	if !path.IsAbs(exchangeFrom) || !path.IsAbs(stateFrom) {
		return containerSpec{}, fmt.Errorf("the engine cannot mount the folders %q and %q; set DATA_DIR to an "+
			"absolute path", exchangeFrom, stateFrom)
	}
	spec := containerSpec{
		config: &container.Config{
			Image: d.c.Image, User: d.c.User, Labels: labels, StopTimeout: new(15),
			Env: append(launcher.Environ(exchangeDir, path.Join(stateDir, folder)), "AUTO_START=false",
				"TELEMETRY_ADDR=:"+telemetryPort),
		},
		host: &container.HostConfig{
			Mounts: []mount.Mount{
				{Type: mount.TypeBind, Source: path.Join(exchangeFrom, folder), Target: exchangeDir, ReadOnly: true},
				{Type: mount.TypeBind, Source: stateFrom, Target: stateDir},
			},
			CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges:true"},
			ExtraHosts: []string{"host.docker.internal:host-gateway"},
			Resources:  d.limits(),
			LogConfig: container.LogConfig{Type: "json-file",
				Config: map[string]string{"max-size": "10m", "max-file": "3"}},
		},
		networks: networks,
	}
	if e.rootless {
		spec.config.User = "0:0" // is the user who runs the engine and owns the folders
	}
	if l.jobID != "" { // its progress is in its ledger, so it needs no port
		return spec, nil
	}
	spec.aliases = []string{mainRole}
	if !e.inContainer { // the engine may have a network of its own, but published ports are always reachable
		port := nat.Port(telemetryPort + "/tcp")
		spec.config.ExposedPorts = nat.PortSet{port: {}}
		spec.host.PortBindings = nat.PortMap{port: {{HostIP: "127.0.0.1"}}}
	}
	return spec, nil
}

// limits returns the resource limits of a container.
func (d *Docker) limits() container.Resources {
	return container.Resources{Memory: d.c.Memory, PidsLimit: new(int64(1000))}
}

// hostPath returns where a folder of the controller's container is on the engine's machine.
func hostPath(mounts []container.MountPoint, folder string) string {
	longest, source := "", folder
	for _, m := range mounts {
		rest, inside := strings.CutPrefix(folder+"/", strings.TrimSuffix(m.Destination, "/")+"/")
		if inside && len(m.Destination) > len(longest) {
			longest, source = m.Destination, path.Join(m.Source, rest)
		}
	}
	return source
}

// create creates a container and connects it to its networks.
func (l *loadgen) create(ctx context.Context, spec containerSpec) (id string, err error) {
	d := l.d
	var first *network.NetworkingConfig
	endpoint := &network.EndpointSettings{Aliases: spec.aliases}
	if len(spec.networks) > 0 {
		spec.host.NetworkMode = container.NetworkMode(spec.networks[0])
		if spec.host.NetworkMode.IsUserDefined() {
			first = &network.NetworkingConfig{
				EndpointsConfig: map[string]*network.EndpointSettings{spec.networks[0]: endpoint},
			}
		}
	}
	created, err := d.api.ContainerCreate(ctx, spec.config, spec.host, first, nil, l.name)
	switch {
	case cerrdefs.IsNotFound(err):
		return "", d.noImage(err)
	// Docker and Podman report a missing folder by text only.
	case err != nil && (strings.Contains(err.Error(), "bind source path does not exist") ||
		strings.Contains(err.Error(), "statfs ")):
		return "", fmt.Errorf("create the container: %w; the folder does not exist where the engine runs: it is "+
			"another machine, or DATA_DIR is not shared with its virtual machine", err)
	case err != nil:
		return "", fmt.Errorf("create the container: %w", mapError(err))
	}
	for _, network := range spec.networks[min(1, len(spec.networks)):] {
		if err := d.api.NetworkConnect(ctx, network, created.ID, endpoint); err != nil {
			return "", errors.Join(fmt.Errorf("connect to network %s: %w", network, mapError(err)),
				d.remove(ctx, created.ID, "remove it again"))
		}
	}
	return created.ID, nil
}

// noImage returns the error of a missing image.
func (d *Docker) noImage(err error) error {
	return fmt.Errorf("%w: the image %s does not exist (%w); build it with `make images` or set LOADGEN_IMAGE to "+
		"another", launcher.ErrMissing, d.c.Image, err)
}
