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

// maxLine is the maximum length of a line, in bytes; the engine breaks lines at 16 KiB.
const maxLine = 1 << 20

// Logs implements launcher.Runtime.
func (d *Docker) Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	found, err := d.find(ctx)
	return d.logs(ctx, found, err, q, each)
}

// logs reads the log of a container. found and findErr are the result of find or findJob; a missing container has no
// lines.
func (d *Docker) logs(ctx context.Context, found container.InspectResponse, findErr error, q launcher.LogQuery,
	each func(launcher.Line) error) error {
	if errors.Is(findErr, launcher.ErrMissing) {
		return nil
	}
	if findErr != nil {
		return findErr
	}
	if q.Tail > 0 {
		last, err := d.tail(ctx, found.ID, q)
		if err != nil {
			return err
		}
		for _, line := range last {
			if err := each(line); err != nil {
				return err
			}
			q.Since = line.Time.Add(time.Nanosecond)
		}
		if !q.Follow {
			return nil
		}
		q.Tail = 0
	}
	return d.read(ctx, found.ID, q, each)
}

// tail returns the last lines that match.
func (d *Docker) tail(ctx context.Context, id string, q launcher.LogQuery) ([]launcher.Line, error) {
	n := q.Tail
	q.Follow = false
	if q.Level != "" || len(q.Texts) > 0 {
		q.Tail = 0 // the engine would apply it before the filter
	}
	var last []launcher.Line
	err := d.read(ctx, id, q, func(l launcher.Line) error {
		if last = append(last, l); len(last) >= 2*n {
			last = append(last[:0], last[n:]...)
		}
		return nil
	})
	return last[max(0, len(last)-n):], err
}

func (d *Docker) read(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
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
		line := launcher.ParseLine(parseTime(stamp), rest)
		if !q.Matches(line) {
			continue
		}
		if err := each(line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return nil
}
