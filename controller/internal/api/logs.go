package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Logs is where the loadgen's log is read.
type Logs interface {
	Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error
}

type logsRequest struct {
	Lines  int       `query:"lines" minimum:"10" maximum:"10000" default:"100" doc:"How many of the last lines that match."`
	Filter []string  `query:"filter,explode" maxItems:"8" maxLength:"200" doc:"Only lines with this text in them, whatever the case; given several times, with all of them."`
	Level  string    `query:"level" enum:"DEBUG,INFO,WARNING,ERROR" doc:"Only lines at least as severe; lines without a level always match."`
	Since  time.Time `query:"since" doc:"Only lines written since then (RFC 3339)."`
	Job    string    `query:"job" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"The run_id of a backfill job whose log is wanted instead of the loadgen's."`
}

type logsResponse struct {
	Logs           string          `json:"logs" doc:"The lines with their times, as one text."`
	Lines          []launcher.Line `json:"lines"`
	LinesReturned  int             `json:"lines_returned"`
	ContainerState string          `json:"container_state" doc:"As container.state of GET /api/status."`
}

var _ = routes((*server).logs)

func (s *server) logs() {
	reply(s, op(http.MethodGet, "/api/logs", tagRun, "The loadgen's last log lines; GET /api/stream follows them"),
		s.lastLines)
}

func (s *server) lastLines(ctx context.Context, in *logsRequest) (a logsResponse, err error) {
	q := launcher.LogQuery{Since: in.Since, Level: launcher.Level(in.Level), Texts: in.Filter, Tail: in.Lines}
	lines := []launcher.Line{}
	each := func(l launcher.Line) error {
		lines = append(lines, l)
		return nil
	}
	state := s.Runs.Status().Loadgen.State
	read := s.Logs.Logs
	if in.Job != "" {
		j, err := s.Jobs.Job(ctx, in.Job)
		if err != nil {
			return a, err
		}
		state = j.Container.State
		read = func(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
			return s.Jobs.Logs(ctx, in.Job, q, each)
		}
	}
	if err := read(ctx, q, each); err != nil {
		return a, err
	}
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l.Time.Format(time.RFC3339Nano) + " " + l.Text + "\n")
	}
	return logsResponse{text.String(), lines, len(lines), stateWord(state)}, nil
}
