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

// Live is the numbers of now, see package live.
type Live interface {
	Latest() (live.Sample, bool)
	History(since time.Time) []live.Point
}

type streamRequest struct {
	LastEventID string   `header:"Last-Event-ID" maxLength:"100" doc:"Goes on after that event."`
	Level       string   `query:"level" enum:"DEBUG,INFO,WARNING,ERROR" doc:"Only log lines at least as severe."`
	Filter      []string `query:"filter,explode" maxItems:"8" maxLength:"200" doc:"Only log lines with this text in them, whatever the case; given several times, with all of them."`
	Logs        bool     `query:"logs" default:"true" doc:"false leaves the log out."`
}

type historyRequest struct {
	Since time.Time `query:"since" doc:"Only points after it (RFC 3339); all of the last two hours else."`
}

type historyResponse struct {
	Points []live.Point `json:"points" doc:"One a second, oldest first."`
}

const (
	streamPath = "/api/stream"
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
	// slow is how long a reader may take to take one event.
	slow = 10 * time.Second
)

var _ = routes((*server).stream)

func (s *server) stream() {
	o := file(op(http.MethodGet, streamPath, tagRun, "State, numbers and log as they come (server-sent events)"),
		"text/event-stream", s.streamEvents())
	o.Description = "Events: state (as GET /api/status without config), sample (one a second while traffic " +
		"flows), log. " +
		"Comments are heartbeats. Who does not keep up is disconnected and resumes by Last-Event-ID."
	route(s, o, func(_ context.Context, in *streamRequest) (*huma.StreamResponse, error) {
		filter := live.Filter{
			NoLog: !in.Logs,
			Log:   launcher.LogQuery{Level: launcher.Level(in.Level), Texts: in.Filter},
		}
		return &huma.StreamResponse{Body: func(c huma.Context) { s.send(c, in.LastEventID, filter) }}, nil
	})
	reply(s, op(http.MethodGet, "/api/live", tagRun, "The last two hours, second by second"),
		func(_ context.Context, in *historyRequest) (historyResponse, error) {
			return historyResponse{s.Live.History(in.Since)}, nil
		})
}

// streamEvents is the schema of what the stream brings: each event's name, and the type of its data.
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

// send writes events until the reader goes or falls behind, its session ends, or the hub is closed.
func (s *server) send(c huma.Context, lastID string, filter live.Filter) {
	request := humaecho.Unwrap(c)
	w, ended := request.Response(), s.Guard.SessionDone(request)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	reader := s.Hub.Join(lastID, filter)
	defer reader.Close()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	control := http.NewResponseController(w)
	write := func(format string, args ...any) bool {
		if err := control.SetWriteDeadline(s.Now().Add(slow)); err != nil {
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
