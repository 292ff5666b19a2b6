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

// ErrRemoteEngine is the error of an engine whose containers cannot see the folders of this machine.
var ErrRemoteEngine = errors.New("the engine is on another machine, whose containers cannot see the folders " +
	"of this one; " +
	"run the controller there, take an engine of this machine (docker context use default), or use RUNTIME=process")

// machine is how the controller stands to its engine, which does not change while it lives.
type machine struct {
	// inside: the controller is a container of this engine, so that it meets the others in its networks.
	inside bool
	// rootless: the engine is an ordinary user's, who is root in its containers.
	rootless bool
	// reachable: the addresses of containers can be reached from here.
	reachable bool
}

// machine asks the engine once.
func (d *Docker) machine(ctx context.Context) (machine, error) {
	d.asking.Lock()
	defer d.asking.Unlock()
	if d.where != nil {
		return *d.where, nil
	}
	_, inside, err := d.self(ctx)
	if err != nil {
		return machine{}, err
	}
	m := machine{inside: inside, reachable: true}
	if !inside { // a filter before the engine, as SECURITY.md has it, need not let the next question pass
		info, err := d.api.Info(ctx)
		if err != nil {
			return machine{}, told(err)
		}
		m.rootless = d.c.Engine.Rootless || slices.ContainsFunc(info.SecurityOptions, func(o string) bool {
			return strings.Contains(o, "rootless")
		})
		// The network of a rootless engine, and of one in a virtual machine, is not this machine's.
		m.reachable = !m.rootless && goruntime.GOOS == "linux" &&
			!strings.Contains(info.OperatingSystem, "Docker Desktop")
	}
	d.where = &m
	return m, nil
}

// self is the controller's own container; false where it runs in none.
func (d *Docker) self(ctx context.Context) (_ container.InspectResponse, inside bool, err error) {
	if d.c.Hostname == "" {
		return container.InspectResponse{}, false, nil
	}
	own, err := d.api.ContainerInspect(ctx, d.c.Hostname)
	if cerrdefs.IsNotFound(err) {
		return own, false, nil
	}
	// A machine's host name could be the name of a container; only of its own id it is the begin.
	return own, err == nil && strings.HasPrefix(own.ID, d.c.Hostname), told(err)
}

// CheckUsable reports why the engine cannot be used now: launcher.ErrUnavailable or ErrRemoteEngine.
func (d *Docker) CheckUsable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if strings.HasPrefix(d.c.Engine.Host, "ssh:") {
		return ErrRemoteEngine
	}
	if _, err := d.api.Ping(ctx); err != nil {
		return fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
	}
	if _, inside, err := d.self(ctx); err != nil || inside || ofThisMachine(ctx, d.c.Engine.Host) {
		return err
	}
	return ErrRemoteEngine
}

// ofThisMachine reports whether an address is a socket or one of this machine's own.
func ofThisMachine(ctx context.Context, host string) bool {
	u, err := url.Parse(host)
	if err != nil || u.Scheme == "unix" || u.Scheme == "npipe" || host == "" {
		return err == nil
	}
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, u.Hostname())
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs() // without them none but loopback is ours
	return slices.ContainsFunc(addresses, func(a net.IPAddr) bool {
		return a.IP.IsLoopback() || slices.ContainsFunc(own, func(o net.Addr) bool {
			n, ok := o.(*net.IPNet)
			return ok && n.IP.Equal(a.IP)
		})
	})
}
