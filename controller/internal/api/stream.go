package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/live"
)

// Live has the current metrics, see package live.
type Live interface {
	Latest() (live.Sample, bool)
	History(since time.Time) []live.Point
}

type streamRequest struct {
	LastEventID string   `header:"Last-Event-ID" maxLength:"100" doc:"Id of the last event received, to resume after it."`
	Level       string   `query:"level" enum:"DEBUG,INFO,WARNING,ERROR" doc:"Minimum level of log lines."`
	Filter      []string `query:"filter,explode" maxItems:"8" maxLength:"200" doc:"Only log lines that contain this text, ignoring case. Can be given several times; all must match."`
	Logs        bool     `query:"logs" default:"true" doc:"Whether to include the log."`
}

type historyRequest struct {
	Since time.Time `query:"since" doc:"Only points after this time (RFC 3339). Default: the last two hours."`
}

type historyResponse struct {
	Points []live.Point `json:"points" doc:"One per second, oldest first."`
}

const (
	streamPath = "/api/stream"
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
	// writeTimeout is how long a client may take to receive an event.
	writeTimeout = 10 * time.Second
)

var _ = addRoutes((*server).stream)

func (s *server) stream() {
	register(s, get(streamPath, tagRuns, "Stream state, metrics and log (server-sent events)").
		produces(map[string]*huma.Schema{"text/event-stream": s.streamEvents()}).
		describe("Sends the events state (GET /api/status without config), sample (once a second during a run) and log. "+
			"Comments are heartbeats. Clients that fall behind are disconnected and can resume with Last-Event-ID."),
		func(_ context.Context, in *streamRequest) (*huma.StreamResponse, error) {
			filter := live.Filter{NoLog: !in.Logs,
				Log: launcher.LogQuery{Level: launcher.Level(in.Level), Texts: in.Filter}}
			return &huma.StreamResponse{Body: func(c huma.Context) { s.sendEvents(c, in.LastEventID, filter) }}, nil
		})
	handle(s, get("/api/live", tagRuns, "Get the metrics of the last two hours"),
		func(_ context.Context, in *historyRequest) (historyResponse, error) {
			return historyResponse{s.Live.History(in.Since)}, nil
		})
}

// streamEvents returns the schema of the events: name and type of data.
func (s *server) streamEvents() *huma.Schema {
	event := func(name string, data reflect.Type) *huma.Schema {
		return &huma.Schema{
			Type: huma.TypeObject, Required: []string{"event", "data"},
			Properties: map[string]*huma.Schema{
				"event": {Type: huma.TypeString, Enum: []any{name}},
				"data":  s.huma.OpenAPI().Components.Schemas.Schema(data, true, ""),
			},
		}
	}
	return &huma.Schema{OneOf: []*huma.Schema{
		event("state", reflect.TypeFor[State]()),
		event("sample", reflect.TypeFor[live.Sample]()),
		event("log", reflect.TypeFor[launcher.Line]()),
	}}
}

// sendEvents writes events until the client disconnects or falls behind, its session ends, or the hub is closed.
func (s *server) sendEvents(c huma.Context, lastID string, filter live.Filter) {
	request := humaecho.Unwrap(c)
	w, ended := request.Response(), s.Guard.SessionDone(request)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would buffer events
	reader := s.Hub.Join(lastID, filter)
	defer reader.Close()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	control := http.NewResponseController(w)
	write := func(format string, args ...any) bool {
		if err := control.SetWriteDeadline(s.Now().Add(writeTimeout)); err != nil {
			return false
		}
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && control.Flush() == nil
	}
	w.WriteHeader(http.StatusOK)
	if !write("retry: 2000\n\n") {
		return
	}
	for {
		select {
		case e, ok := <-reader.Events():
			if !ok || !write("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, e.Data) {
				return
			}
		case <-beat.C:
			if !write(": heartbeat\n\n") {
				return
			}
		case <-ended:
			return
		case <-c.Context().Done():
			return
		}
	}
}
