package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	goruntime "runtime"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// ErrRemoteEngine reports an engine whose containers cannot mount the folders of this machine.
var ErrRemoteEngine = errors.New("the engine is on another machine, so its containers cannot mount the folders of " +
	"this one; run the controller there, use a local engine (docker context use default), or set RUNTIME=process")

// environment describes where the controller runs relative to its engine, which never changes.
type environment struct {
	inContainer bool // the controller is a container of this engine, so it shares networks with the others
	rootless    bool // the engine runs as an ordinary user, who is root in its containers
	reachable   bool // the addresses of containers are reachable from here
}

// env returns the environment. It queries the engine until it has an answer.
func (d *Docker) env(ctx context.Context) (environment, error) {
	d.inspecting.Lock()
	defer d.inspecting.Unlock()
	if d.environment != nil {
		return *d.environment, nil
	}
	_, inContainer, err := d.self(ctx)
	if err != nil {
		return environment{}, err
	}
	e := environment{inContainer: inContainer, reachable: true}
	if !inContainer { // inside, a filtering proxy of the engine (see SECURITY.md) may reject the next request
		info, err := d.api.Info(ctx)
		if err != nil {
			return environment{}, mapError(err)
		}
		e.rootless = d.c.Engine.Rootless || slices.ContainsFunc(info.SecurityOptions, func(o string) bool {
			return strings.Contains(o, "rootless")
		})
		// The network of a rootless engine, or of one in a virtual machine, is not this machine's.
		e.reachable = !e.rootless && goruntime.GOOS == "linux" &&
			!strings.Contains(info.OperatingSystem, "Docker Desktop")
	}
	d.environment = &e
	return e, nil
}

// self returns the controller's own container, and false if it does not run in one.
func (d *Docker) self(ctx context.Context) (_ container.InspectResponse, inContainer bool, err error) {
	if d.c.Hostname == "" {
		return container.InspectResponse{}, false, nil
	}
	own, err := d.api.ContainerInspect(ctx, d.c.Hostname)
	if cerrdefs.IsNotFound(err) {
		return own, false, nil
	}
	// A machine's host name can be the name of a container, but not a prefix of its ID.
	return own, err == nil && strings.HasPrefix(own.ID, d.c.Hostname), mapError(err)
}

// CheckUsable returns launcher.ErrUnavailable or ErrRemoteEngine if the engine cannot be used now.
func (d *Docker) CheckUsable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	if strings.HasPrefix(d.c.Engine.Host, "ssh:") {
		return ErrRemoteEngine
	}
	if _, err := d.api.Ping(ctx); err != nil {
		return fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
	}
	if _, inContainer, err := d.self(ctx); err != nil || inContainer || isLocal(ctx, d.c.Engine.Host) {
		return err
	}
	return ErrRemoteEngine
}

// isLocal reports whether an engine's address is a socket or an address of this machine.
func isLocal(ctx context.Context, host string) bool {
	u, err := url.Parse(host)
	if err != nil || u.Scheme == "unix" || u.Scheme == "npipe" || host == "" {
		return err == nil
	}
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, u.Hostname())
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs() // without them, only loopback is local
	return slices.ContainsFunc(addresses, func(a net.IPAddr) bool {
		return a.IP.IsLoopback() || slices.ContainsFunc(own, func(o net.Addr) bool {
			n, ok := o.(*net.IPNet)
			return ok && n.IP.Equal(a.IP)
		})
	})
}
