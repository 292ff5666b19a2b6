package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/eventset"
)

type eventsResponse struct {
	Config     eventset.Set      `json:"config" doc:"The events. Their probabilities are the settings CLICK_EVENTS_PROBABILITY and RANDOM_EVENTS_PROBABILITY."`
	Source     setup.Source      `json:"source" enum:"custom,default" doc:"Whether the events are saved or built in."`
	Validation setup.EventReport `json:"validation" doc:"Result of the validation."`
}

var _ = addRoutes((*server).events)

func (s *server) events() {
	const path = "/api/events"
	handlePlain(s, get(path, tagTraffic, "Get the events"), func(ctx context.Context) (eventsResponse, error) {
		set, source, err := s.Setup.Events(ctx)
		if err != nil {
			return eventsResponse{}, err
		}
		data, err := eventset.Encode(set)
		return eventsResponse{set, source, s.Setup.ValidateEvents(data)}, err
	})
	handle(s, post(path, tagTraffic, "Replace the events").
		describe("Probabilities in the file also change CLICK_EVENTS_PROBABILITY and RANDOM_EVENTS_PROBABILITY."),
		func(ctx context.Context, in *contentRequest) (SavedContent[setup.EventReport], error) {
			report, err := s.Setup.SaveEvents(ctx, []byte(in.Body.Content))
			return savedContent(s, "events saved", report), err
		})
	handle(s, post(path+"/validate", tagTraffic, "Validate events").allow(readOnly),
		func(_ context.Context, in *contentRequest) (setup.EventReport, error) {
			return s.Setup.ValidateEvents([]byte(in.Body.Content)), nil
		})
	handlePlain(s, remove(path, tagTraffic, "Reset to the built-in events"),
		func(ctx context.Context) (resetResponse, error) {
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
