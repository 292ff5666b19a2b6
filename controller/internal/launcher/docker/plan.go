package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

const (
	// planRole is the label of the container that a plan is printed in, which nothing else takes for the loadgen.
	planRole = "plan"
	// planFolder is its exchange folder. It is filled by the engine, so that no folder of the machine is needed.
	planFolder = "app/data"
	// removal bounds the removal of that container, which goes on when nobody waits for the plan any more.
	removal = 10 * time.Second
)

// Plan implements launcher.Runtime by a container of its own, without network and without the loadgen's folders.
func (d *Docker) Plan(ctx context.Context, files map[string][]byte, args ...string) (printed launcher.Printed,
	err error) {
	name := d.c.Name + "-" + planRole
	if err := d.forget(ctx, name); err != nil {
		return printed, err
	}
	made, err := d.api.ContainerCreate(ctx, &container.Config{
		Image: d.c.Image, User: d.c.User, Labels: map[string]string{RoleLabel: planRole, StackLabel: d.c.Stack},
		Cmd: append([]string{"plan"}, args...),
		Env: []string{"EXCHANGE_DIR=/" + planFolder, "LOADGEN_ENV_FILE=/" + planFolder + "/" + exchange.EnvFile,
			"STATE_DIR=/" + planFolder},
	}, &container.HostConfig{
		Resources: d.limits(), NetworkMode: "none", CapDrop: []string{"ALL"},
		SecurityOpt: []string{"no-new-privileges:true"},
		LogConfig:   container.LogConfig{Type: "json-file"}, // whatever the engine's default is, this one can be read
	}, nil, nil, name)
	if cerrdefs.IsNotFound(err) {
		return printed, d.noImage(err)
	}
	if err != nil {
		return printed, fmt.Errorf("make the container of the plan: %w", told(err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removal)
		defer cancel()
		if gone := d.api.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true}); gone != nil {
			err = errors.Join(err, fmt.Errorf("remove the container of the plan: %w", told(gone)))
		}
	}()
	packed, err := pack(files)
	if err != nil {
		return printed, err
	}
	if err := d.api.CopyToContainer(ctx, made.ID, "/", packed, container.CopyToContainerOptions{}); err != nil {
		return printed, fmt.Errorf("hand over the files of the plan: %w", told(err))
	}
	if printed.Code, err = d.finish(ctx, made.ID); err != nil {
		return printed, err
	}
	return printed, d.output(ctx, made.ID, &printed)
}

// forget removes a container of an earlier plan, which a controller that was killed has left behind.
func (d *Docker) forget(ctx context.Context, name string) error {
	left, err := d.api.ContainerInspect(ctx, name)
	switch {
	case cerrdefs.IsNotFound(err):
		return nil
	case err != nil:
		return told(err)
	case left.Config.Labels[RoleLabel] != planRole || left.Config.Labels[StackLabel] != d.c.Stack:
		return fmt.Errorf("%w: the name %s is taken; rename that container", launcher.ErrForeign, name)
	}
	if err := d.api.ContainerRemove(ctx, left.ID, container.RemoveOptions{Force: true}); err != nil &&
		!cerrdefs.IsNotFound(err) {
		return fmt.Errorf("remove what an earlier plan left: %w", told(err))
	}
	return nil
}

// pack is the files as the engine takes them. They hold no secret, see launcher.Runtime.
func pack(files map[string][]byte) (*bytes.Buffer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := tar.Header{Typeflag: tar.TypeReg, Name: planFolder + "/" + name, Mode: 0o644,
			Size: int64(len(files[name]))}
		if err := w.WriteHeader(&header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the files of the plan: %w", err)
	}
	return &packed, nil
}

// finish starts a container and waits for its end.
func (d *Docker) finish(ctx context.Context, id string) (code int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended, failed := d.api.ContainerWait(ctx, id, container.WaitConditionNextExit)
	if err := d.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return 0, fmt.Errorf("start the container of the plan: %w", told(err))
	}
	select {
	case end := <-ended:
		return int(end.StatusCode), nil
	case err := <-failed:
		return 0, fmt.Errorf("watch the container of the plan: %w", told(err))
	}
}

// output reads what an ended container printed.
func (d *Docker) output(ctx context.Context, id string, into *launcher.Printed) error {
	stream, err := d.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return fmt.Errorf("read the plan: %w", told(err))
	}
	defer stream.Close() //nolint:errcheck // only read
	var out, said launcher.Output
	if _, err := stdcopy.StdCopy(&out, &said, stream); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	into.Out = out.Bytes()
	into.Said(said.Bytes(), "/"+planFolder)
	return nil
}
