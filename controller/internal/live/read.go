package live

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/status"
)

// maxStatus is the maximum size of a status, in bytes; that of a hundred targets is less than 1 MiB.
const maxStatus = 8 << 20

// Read returns the status of the loadgen whose telemetry is at base, as http://host:port. The error of an older loadgen
// without a status wraps launcher.ErrVersionMismatch.
func Read(ctx context.Context, client *http.Client, base string) (*status.Snapshot, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+status.Path, nil)
	if err != nil {
		return nil, fmt.Errorf("query the loadgen: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("query the loadgen: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%w: it has no %s", launcher.ErrVersionMismatch, status.Path)
	default:
		return nil, fmt.Errorf("query the loadgen: got status %s", resp.Status)
	}
	s := new(status.Snapshot)
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxStatus)).Decode(s); err != nil {
		return nil, fmt.Errorf("read the loadgen's status: %w", err)
	}
	return s, nil
}

// Follow sends every new line of the log to the hub until ctx is done, including those after restarts of the loadgen.
func Follow(ctx context.Context, logs launcher.LogReader, hub *Hub) {
	since := time.Now().UTC()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		// A log that cannot be read now may be later; the state has the reason.
		_ = logs.Logs(ctx, launcher.LogQuery{Since: since, Follow: true}, func(l launcher.Line) error {
			data, err := json.Marshal(l)
			if err != nil {
				return err
			}
			hub.SendLine(l, data)
			since = l.Time.Add(time.Nanosecond)
			return nil
		})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
