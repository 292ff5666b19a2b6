package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// loadgen is the container of the main loadgen or of a job.
type loadgen struct {
	d      *Docker
	name   string
	jobID  string // "" for the main loadgen
	labels map[string]string

	changing sync.Mutex // held while the container is changed
}

func (l *loadgen) find(ctx context.Context) (container.InspectResponse, error) {
	return l.d.findContainer(ctx, l.name, l.labels)
}

// Start implements launcher.Loadgen.
func (l *loadgen) Start(ctx context.Context) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	found, err := l.find(ctx)
	switch {
	case errors.Is(err, launcher.ErrMissing):
		return l.createAndStart(ctx)
	case err != nil:
		return err
	case l.jobID != "":
		return l.resumeJob(ctx, found)
	case found.State.Status == container.StateExited:
		outdated, err := l.d.outdated(ctx, found)
		if err != nil {
			return err
		}
		if outdated {
			return l.replace(ctx, found, l.d.startContainer)
		}
	}
	return l.d.resume(ctx, found)
}

func (l *loadgen) createAndStart(ctx context.Context) error {
	spec, err := l.spec(ctx)
	if err != nil {
		return err
	}
	id, err := l.create(ctx, spec)
	if err != nil {
		return err
	}
	return l.d.startContainer(ctx, id)
}

// resumeJob starts a job's existing container. One that cannot be started, for example because its network was removed,
// is recreated: the job's progress is in its state folder.
func (l *loadgen) resumeJob(ctx context.Context, found container.InspectResponse) error {
	if len(missingEnv(found)) == 0 || found.State.Running {
		if err := l.d.resume(ctx, found); !errors.Is(err, launcher.ErrInvalidState) {
			return err
		}
	}
	if err := l.d.RemoveJob(ctx, l.jobID); err != nil {
		return err
	}
	return l.createAndStart(ctx)
}

// outdated reports whether a container must be recreated before it is started: it has an older image, lacks
// requiredEnv, or does not publish the telemetry port that the controller needs.
func (d *Docker) outdated(ctx context.Context, found container.InspectResponse) (bool, error) {
	e, err := d.env(ctx)
	if err != nil {
		return false, err
	}
	_, published := found.HostConfig.PortBindings[telemetryPort+"/tcp"]
	return d.hasOlderImage(ctx, found) || len(missingEnv(found)) > 0 || !e.inContainer && !published, nil
}

// resume starts an existing container unless it runs.
func (d *Docker) resume(ctx context.Context, found container.InspectResponse) error {
	switch found.State.Status {
	case container.StateRunning, container.StateRestarting:
		return nil
	case container.StatePaused, container.StateDead, container.StateRemoving:
		return fmt.Errorf("%w: it is %s; heal it", launcher.ErrInvalidState, found.State.Status)
	default:
		return d.startContainer(ctx, found.ID)
	}
}

func (d *Docker) startContainer(ctx context.Context, id string) error {
	err := mapError(d.api.ContainerStart(ctx, id, container.StartOptions{}))
	if err == nil || errors.Is(err, launcher.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w; heal it", launcher.ErrInvalidState, err)
}

// Stop implements launcher.Loadgen.
func (l *loadgen) Stop(ctx context.Context, timeout time.Duration) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	found, err := l.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	switch found.State.Status {
	case container.StateRunning, container.StateRestarting:
	case container.StatePaused: // a paused process does not receive signals
		if err := l.d.unpause(ctx, found.ID); err != nil {
			return err
		}
	default:
		return nil
	}
	seconds := int(timeout.Round(time.Second) / time.Second)
	if err := l.d.api.ContainerStop(ctx, found.ID, container.StopOptions{Timeout: &seconds}); err != nil {
		return fmt.Errorf("stop the loadgen: %w", mapError(err))
	}
	return nil
}

func (d *Docker) unpause(ctx context.Context, id string) error {
	if err := d.api.ContainerUnpause(ctx, id); err != nil {
		return fmt.Errorf("unpause the loadgen: %w", mapError(err))
	}
	return nil
}

// Logs implements launcher.LogReader. A missing container has no lines.
func (l *loadgen) Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	found, err := l.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	return q.Read(func(q launcher.LogQuery, each func(launcher.Line) error) error {
		return l.d.readLog(ctx, found.ID, q, each)
	}, each)
}

// maxLine is the maximum length of a line, in bytes; the engine breaks lines at 16 KiB.
const maxLine = 1 << 20

func (d *Docker) readLog(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: q.Follow}
	if q.Tail > 0 {
		options.Tail = strconv.Itoa(q.Tail)
	}
	if !q.Since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", q.Since.Unix(), q.Since.Nanosecond())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := d.api.ContainerLogs(ctx, id, options)
	if err != nil {
		return fmt.Errorf("read the log: %w", mapError(err))
	}
	defer stream.Close() //nolint:errcheck // only read
	text, demuxed := io.Pipe()
	var demuxing sync.WaitGroup
	demuxing.Go(func() {
		_, err := stdcopy.StdCopy(demuxed, demuxed, stream)
		_ = demuxed.CloseWithError(err) // never fails
	})
	// In reverse order: canceling ends the stream, and closing the pipe a blocked write.
	defer demuxing.Wait()
	defer text.Close() //nolint:errcheck // never fails
	defer cancel()
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		stamp, rest, _ := strings.Cut(lines.Text(), " ")
		if err := each(launcher.ParseLine(parseTime(stamp), rest)); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return nil
}
