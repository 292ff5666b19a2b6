package live

import (
	"context"
	"encoding/json"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Logs is where the loadgen's log is read, see launcher.Runtime.
type Logs interface {
	Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error
}

// Follow sends every new line of the log to the hub until ctx is done, over all lives of the loadgen.
func Follow(ctx context.Context, logs Logs, hub *Hub) {
	since := time.Now().UTC()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		// A log that cannot be read now may be later; the state tells why.
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
