package api

import (
	"context"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Logs reads the loadgen's log.
type Logs interface {
	Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error
}

type logsRequest struct {
	Lines  int       `query:"lines" minimum:"10" maximum:"10000" default:"100" doc:"Number of matching lines to return, counted from the end."`
	Filter []string  `query:"filter,explode" maxItems:"8" maxLength:"200" doc:"Only lines that contain this text, ignoring case. Can be given several times; all must match."`
	Level  string    `query:"level" enum:"DEBUG,INFO,WARNING,ERROR" doc:"Minimum level. Lines without a level always match."`
	Since  time.Time `query:"since" doc:"Only lines written since this time (RFC 3339)."`
	Job    string    `query:"job" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"run_id of a backfill job, to read its log instead."`
}

type logsResponse struct {
	Logs           string          `json:"logs" doc:"The lines with their times, as one text."`
	Lines          []launcher.Line `json:"lines" doc:"The lines, oldest first."`
	LinesReturned  int             `json:"lines_returned" doc:"Number of lines."`
	ContainerState string          `json:"container_state" doc:"See container.state of GET /api/status."`
}

var _ = addRoutes((*server).logs)

func (s *server) logs() {
	handle(s, get("/api/logs", tagRuns, "Get log lines of the loadgen or of a backfill job").
		describe("Use GET /api/stream to follow the log of the loadgen."), s.readLogs)
}

func (s *server) readLogs(ctx context.Context, in *logsRequest) (a logsResponse, err error) {
	q := launcher.LogQuery{Since: in.Since, Level: launcher.Level(in.Level), Texts: in.Filter, Tail: in.Lines}
	lines := []launcher.Line{}
	var text strings.Builder
	each := func(l launcher.Line) error {
		lines = append(lines, l)
		text.WriteString(l.Time.Format(time.RFC3339Nano) + " " + l.Text + "\n")
		return nil
	}
	state := s.Runs.Status().Loadgen.State
	if in.Job != "" {
		j, err := s.Jobs.Job(ctx, in.Job)
		if err != nil {
			return a, err
		}
		state, err = j.Container.State, s.Jobs.Logs(ctx, in.Job, q, each)
		if err != nil {
			return a, err
		}
	} else if err := s.Logs.Logs(ctx, q, each); err != nil {
		return a, err
	}
	return logsResponse{text.String(), lines, len(lines), stateName(state)}, nil
}
