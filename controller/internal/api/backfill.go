package api

import (
	"context"
	"net/http"
)

// backfill keeps the original's five paths and says honestly that nothing is behind them yet.
func (s *server) backfill() {
	for _, r := range []struct{ method, path, summary string }{
		{http.MethodPost, "/api/backfill/run", "Replay past days"},
		{http.MethodGet, "/api/backfill/status", "Backfill jobs"},
		{http.MethodPost, "/api/backfill/cleanup", "Remove ended backfill jobs"},
		{http.MethodGet, "/api/backfill/last", "The last backfill"},
		{http.MethodPost, "/api/backfill/cancel", "Cancel a backfill job"},
	} {
		o := op(r.method, r.path, tagBackfill, r.summary)
		o.Description = "Not there yet: comes with runs. Answers 501."
		route(s, o, func(context.Context, *empty) (*empty, error) {
			return nil, refuse(http.StatusNotImplemented, "backfill comes with runs; this version cannot do it")
		})
	}
}
