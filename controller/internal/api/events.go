package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/eventset"
)

type eventsResponse struct {
	Config     eventset.Set      `json:"config" doc:"The probabilities are those of the settings CLICK_EVENTS_PROBABILITY and RANDOM_EVENTS_PROBABILITY."`
	Source     setup.Source      `json:"source" enum:"custom,default"`
	Validation setup.EventReport `json:"validation"`
}

var _ = routes((*server).events)

func (s *server) events() {
	get(
		s,
		"/api/events",
		tagTraffic,
		"The events that visitors cause",
		func(ctx context.Context) (eventsResponse, error) {
			set, source, err := s.Setup.Events(ctx)
			if err != nil {
				return eventsResponse{}, err
			}
			data, err := eventset.Encode(set)
			return eventsResponse{set, source, s.Setup.ValidateEvents(data)}, err
		},
	)
	reply(s, op(http.MethodPost, "/api/events", tagTraffic,
		"Replace the events; probabilities in them set the two settings"),
		func(ctx context.Context, in *contentRequest) (SavedContent[setup.EventReport], error) {
			report, err := s.Setup.SaveEvents(ctx, []byte(in.Body.Content))
			return savedContent(s, "events saved", report), err
		})
	reply(s, as(question, op(http.MethodPost, "/api/events/validate", tagTraffic, "Are these events good?")),
		func(_ context.Context, in *contentRequest) (setup.EventReport, error) {
			return s.Setup.ValidateEvents([]byte(in.Body.Content)), nil
		})
	reply(s, op(http.MethodDelete, "/api/events", tagTraffic, "Go back to the built-in events; the two settings stay"),
		func(ctx context.Context, _ *empty) (resetResponse, error) {
			message, err := s.builtInEvents(ctx)
			if err != nil {
				return resetResponse{}, err
			}
			was, err := s.Setup.DeleteEvents(ctx)
			return s.reset(was, message, err)
		})
}

// builtInEvents says what a reset leaves as it is: the shares of visits are settings, which a set of events may have
// set.
func (s *server) builtInEvents(ctx context.Context) (string, error) {
	c, err := s.Setup.Config(ctx)
	if err != nil {
		return "", err
	}
	var kept []string
	for _, key := range []string{"CLICK_EVENTS_PROBABILITY", "RANDOM_EVENTS_PROBABILITY"} {
		if slices.Contains(c.Set, key) {
			kept = append(kept, fmt.Sprintf("%s=%v", key, c.Values[key]))
		}
	}
	if len(kept) == 0 {
		return "the built-in events are in use", nil
	}
	return "the built-in events are in use; " + strings.Join(kept, " and ") +
		" stays saved, null in PATCH /api/config resets it", nil
}
