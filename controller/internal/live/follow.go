package live

import (
	"context"
	"encoding/json"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

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
