package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/fast"
)

// sinkProcess is a running fast sink.
type sinkProcess struct {
	process *process
	cancel  context.CancelFunc
	base    string // URL
}

// startSink starts a sink on its core; the caller stops it.
func (b *bench) startSink(ctx context.Context, flags ...string) (*sinkProcess, error) {
	ctx, cancel := context.WithCancel(ctx)
	p, err := start(ctx, sinkCore,
		command{path: b.loadgen, args: append([]string{"sink", "--fast", "--addr", "127.0.0.1:0"}, flags...)})
	if err != nil {
		cancel()
		return nil, err
	}
	s := &sinkProcess{process: p, cancel: cancel}
	if s.base, err = p.waitForOutput(ctx, regexp.MustCompile(`(http://\S+)/matomo\.php`)); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// stop ends the sink. Its exit code is ignored, because its counts are complete.
func (s *sinkProcess) stop() {
	s.cancel()
	<-s.process.ended
}

func (s *sinkProcess) url() string { return s.base + "/matomo.php" }

// stats returns the sink's counts so far.
func (s *sinkProcess) stats(ctx context.Context) (stats fast.Stats, err error) {
	data, err := httpGet(ctx, s.base+"/stats")
	if err != nil {
		return stats, err
	}
	if err := json.Unmarshal(data, &stats); err != nil {
		return stats, fmt.Errorf("read counts of the sink: %w", err)
	}
	return stats, nil
}

// arrivals returns the times of requests since the last call, in nanoseconds since the start of the sink.
func (s *sinkProcess) arrivals(ctx context.Context) ([]int64, error) {
	data, err := httpGet(ctx, s.base+"/arrivals")
	if err != nil {
		return nil, err
	}
	times := make([]int64, len(data)/8)
	for i := range times {
		times[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return times, nil
}

func httpGet(ctx context.Context, url string) (data []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("get %s: %w", url, err)
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}
