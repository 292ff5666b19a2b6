package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// planRemoveTimeout limits the removal of that container, which continues after the caller's context is done.
const planRemoveTimeout = 10 * time.Second

// Plan implements launcher.Runtime with a container without network. Its exchange folder is filled by the engine, so it
// needs no folder of this machine.
func (d *Docker) Plan(ctx context.Context, files map[string][]byte, args ...string) (out launcher.Output, err error) {
	name := d.c.Name + "-" + planRole
	old, err := d.findContainer(ctx, name, d.roleLabels(planRole))
	if err == nil { // a killed controller left it
		err = d.remove(ctx, old.ID, "remove the container of an earlier plan")
	}
	if err != nil && !errors.Is(err, launcher.ErrMissing) {
		return out, err
	}
	created, err := d.api.ContainerCreate(ctx, &container.Config{
		Image: d.c.Image, User: d.c.User, Labels: d.roleLabels(planRole),
		Cmd: append([]string{"plan"}, args...), Env: launcher.Environ(exchangeDir, exchangeDir),
	}, &container.HostConfig{
		Resources: d.limits(), NetworkMode: "none", CapDrop: []string{"ALL"},
		SecurityOpt: []string{"no-new-privileges:true"},
		LogConfig:   container.LogConfig{Type: "json-file"}, // readable whatever the engine's default is
	}, nil, nil, name)
	if cerrdefs.IsNotFound(err) {
		return out, d.noImage(err)
	}
	if err != nil {
		return out, fmt.Errorf("create the container of the plan: %w", mapError(err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), planRemoveTimeout)
		defer cancel()
		err = errors.Join(err, d.remove(ctx, created.ID, "remove the container of the plan"))
	}()
	archive, err := tarOf(files)
	if err != nil {
		return out, fmt.Errorf("pack the files of the plan: %w", err)
	}
	if err := d.api.CopyToContainer(ctx, created.ID, "/", archive, container.CopyToContainerOptions{}); err != nil {
		return out, fmt.Errorf("copy the files of the plan: %w", mapError(err))
	}
	exitCode, err := d.runToEnd(ctx, created.ID)
	if err != nil {
		return out, err
	}
	stream, err := d.api.ContainerLogs(ctx, created.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return out, fmt.Errorf("read the plan: %w", mapError(err))
	}
	defer stream.Close() //nolint:errcheck // only read
	var w launcher.OutputWriter
	if _, err := stdcopy.StdCopy(&w.Stdout, &w.Stderr, stream); err != nil {
		return out, fmt.Errorf("read the plan: %w", err)
	}
	return w.Output(exitCode, exchangeDir), nil
}

// tarOf returns files as a tar archive of exchangeDir. They contain no secrets, see launcher.Runtime.
func tarOf(files map[string][]byte) (*bytes.Buffer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := tar.Header{
			Typeflag: tar.TypeReg,
			Name:     strings.TrimPrefix(exchangeDir, "/") + "/" + name,
			Mode:     0o644,
			Size:     int64(len(files[name])),
		}
		if err := w.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	return &archive, w.Close()
}

// runToEnd starts a container and waits until it exits.
func (d *Docker) runToEnd(ctx context.Context, id string) (exitCode int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	exited, failed := d.api.ContainerWait(ctx, id, container.WaitConditionNextExit)
	if err := d.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return 0, fmt.Errorf("start the container of the plan: %w", mapError(err))
	}
	select {
	case exit := <-exited:
		return int(exit.StatusCode), nil
	case err := <-failed:
		return 0, fmt.Errorf("wait for the container of the plan: %w", mapError(err))
	}
}
