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

// maxLine is the longest line that is read, in bytes; the engine breaks lines at 16 KiB.
const maxLine = 1 << 20

// Logs implements launcher.Runtime.
func (d *Docker) Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	found, err := d.find(ctx)
	if errors.Is(err, launcher.ErrMissing) {
		return nil // no container, no log
	}
	if err != nil {
		return err
	}
	return d.log(ctx, found.ID, q, each)
}

// log is the log of a container.
func (d *Docker) log(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
	if q.Tail > 0 {
		// What is followed comes after what was kept.
		last, err := d.tail(ctx, id, q)
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
	return d.read(ctx, id, q, each)
}

// tail are the last lines that match.
func (d *Docker) tail(ctx context.Context, id string, q launcher.LogQuery) ([]launcher.Line, error) {
	n := q.Tail
	q.Follow = false
	if q.Level != "" || len(q.Texts) > 0 {
		q.Tail = 0 // the engine would cut before the filter
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
		options.Since = strconv.FormatInt(q.Since.Unix(), 10) + fmt.Sprintf(".%09d", q.Since.Nanosecond())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := d.api.ContainerLogs(ctx, id, options)
	if err != nil {
		return fmt.Errorf("read the log: %w", told(err))
	}
	defer stream.Close() //nolint:errcheck // only read
	text, into := io.Pipe()
	var splitting sync.WaitGroup
	splitting.Go(func() {
		_, err := stdcopy.StdCopy(into, into, stream)
		_ = into.CloseWithError(err) // never fails
	})
	// In this order: the end of the stream ends the splitting, wherever it stands.
	defer splitting.Wait()
	defer text.Close() //nolint:errcheck // never fails
	defer cancel()
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		stamp, rest, _ := strings.Cut(lines.Text(), " ")
		line := launcher.ParseLine(moment(stamp), rest)
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
