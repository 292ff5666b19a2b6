package setup

import (
	"context"
	"errors"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// EventReport is the result of validating a set of events.
type EventReport struct {
	Valid    bool         `json:"valid"`
	Errors   problem.List `json:"errors"`
	Warnings problem.List `json:"warnings"`
	Stats    EventStats   `json:"stats"`
}

// EventStats count a set (FEATURES VAL-26), the most frequent categories first.
type EventStats struct {
	Click            int     `json:"click_events_count"`
	Random           int     `json:"random_events_count"`
	ClickCategories  []Count `json:"click_event_categories"`
	RandomCategories []Count `json:"random_event_categories"`
}

// Events returns the saved events, or the built-in ones. Their probabilities are always set, from
// CLICK_EVENTS_PROBABILITY and RANDOM_EVENTS_PROBABILITY, where they are saved.
func (s *Service) Events(ctx context.Context) (eventset.Set, Source, error) {
	set, source := eventset.Default(), Default
	content, err := s.store.List(ctx, stored.Events)
	switch {
	case err == nil:
		var problems problem.List
		set, problems = eventset.Decode("events.json", content)
		source = Custom
		if err := problems.Err(); err != nil {
			return set, source, err
		}
	case !errors.Is(err, ErrNotFound):
		return set, source, err
	}
	c, err := s.config(ctx)
	if err != nil {
		return set, source, err
	}
	set.ClickProbability, set.RandomProbability = &c.spec.ClickEventProbability, &c.spec.RandomEventProbability
	return set, source, nil
}

// ValidateEvents validates a set and saves nothing.
func (s *Service) ValidateEvents(content []byte) EventReport {
	_, report := readEvents(content)
	return report
}

// allEvents is the place of a problem that no field has.
const allEvents = "events"

func readEvents(content []byte) (eventset.Set, EventReport) {
	set, problems := eventset.Decode(document, content)
	trimPlace(problems, "", allEvents)
	r := EventReport{Valid: problems.Err() == nil, Errors: problems.Errors(), Warnings: problems.Warnings()}
	r.Stats = EventStats{
		Click: len(set.Click), Random: len(set.Random),
		ClickCategories: categories(set.Click), RandomCategories: categories(set.Random),
	}
	return set, r
}

func categories(events []eventset.Event) []Count {
	counts := map[string]int{}
	for _, e := range events {
		counts[e.Category]++
	}
	out, _ := largest(counts)
	return out
}

// SaveEvents saves a set; probabilities in it change the two settings. The error is a problem.List.
func (s *Service) SaveEvents(ctx context.Context, content []byte) (EventReport, error) {
	return change(ctx, s, func(ctx context.Context) (EventReport, error) { return s.saveEvents(ctx, content) },
		exchange.EventsFile, exchange.EnvFile)
}

func (s *Service) saveEvents(ctx context.Context, content []byte) (EventReport, error) {
	set, report := readEvents(content)
	if err := report.Errors.Err(); err != nil {
		return report, err
	}
	values := map[string]any{}
	if p := set.ClickProbability; p != nil {
		values["CLICK_EVENTS_PROBABILITY"] = *p
	}
	if p := set.RandomProbability; p != nil {
		values["RANDOM_EVENTS_PROBABILITY"] = *p
	}
	if len(values) > 0 {
		if _, err := s.mergeConfig(ctx, values, 0); err != nil {
			return report, err
		}
	}
	body, err := savedEvents(set)
	if err != nil {
		return report, err
	}
	return report, s.store.SaveList(ctx, stored.Events, body)
}

// savedEvents encodes a set without the probabilities, which are settings.
func savedEvents(set eventset.Set) ([]byte, error) {
	set.ClickProbability, set.RandomProbability = nil, nil
	return eventset.Encode(set)
}

// DeleteEvents restores the built-in events and reports whether others were saved. The two settings stay.
func (s *Service) DeleteEvents(ctx context.Context) (bool, error) {
	return s.deleteList(ctx, stored.Events, exchange.EventsFile)
}
