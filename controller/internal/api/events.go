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
	Config     eventset.Set      `json:"config" doc:"Its probabilities are the settings CLICK_EVENTS_PROBABILITY and RANDOM_EVENTS_PROBABILITY."`
	Source     setup.Source      `json:"source" enum:"custom,default"`
	Validation setup.EventReport `json:"validation"`
}

var _ = addRoutes((*server).events)

func (s *server) events() {
	handleGet(s, "/api/events", tagTraffic, "Get the events", func(ctx context.Context) (eventsResponse, error) {
		set, source, err := s.Setup.Events(ctx)
		if err != nil {
			return eventsResponse{}, err
		}
		data, err := eventset.Encode(set)
		return eventsResponse{set, source, s.Setup.ValidateEvents(data)}, err
	})
	handle(s, describe(op(http.MethodPost, "/api/events", tagTraffic, "Replace the events"),
		"Probabilities in the file also change CLICK_EVENTS_PROBABILITY and RANDOM_EVENTS_PROBABILITY."),
		func(ctx context.Context, in *contentRequest) (SavedContent[setup.EventReport], error) {
			report, err := s.Setup.SaveEvents(ctx, []byte(in.Body.Content))
			return savedContent(s, "events saved", report), err
		})
	handle(s, allow(readOnly, op(http.MethodPost, "/api/events/validate", tagTraffic, "Validate events")),
		func(_ context.Context, in *contentRequest) (setup.EventReport, error) {
			return s.Setup.ValidateEvents([]byte(in.Body.Content)), nil
		})
	handle(s, op(http.MethodDelete, "/api/events", tagTraffic, "Reset to the built-in events"),
		func(ctx context.Context, _ *empty) (resetResponse, error) {
			message, err := s.resetEventsMessage(ctx)
			if err != nil {
				return resetResponse{}, err
			}
			was, err := s.Setup.DeleteEvents(ctx)
			return s.reset(was, message, err)
		})
}

// resetEventsMessage names the settings that a reset keeps: a set of events may have changed them.
func (s *server) resetEventsMessage(ctx context.Context) (string, error) {
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
		" remains saved; reset it with null in PATCH /api/config", nil
}
