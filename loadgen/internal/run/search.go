package run

import (
	"context"

	"github.com/puttrix/trafficinator/loadgen/internal/search"
	"github.com/puttrix/trafficinator/loadgen/internal/stop"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// searching sends visits at the rates of a capacity search.
type searching struct {
	live
	search *search.Search
}

// Prepare implements Mode. The search judges its steps itself: it misses thresholds on purpose.
func (s *searching) Prepare(ctx context.Context) (Terms, problem.List) {
	terms, problems := s.live.Prepare(ctx)
	terms.Thresholds, terms.Judge = nil, stop.Judge{}
	if problems.Err() == nil {
		s.search = search.New(s.plan, s.config, s.engine)
	}
	return terms, problems
}

// Run implements Mode.
func (s *searching) Run(drain, abort context.Context) End {
	defer s.follow(drain, ownRate{s.engine})()
	s.readClocks(drain) // no step is under way meanwhile
	drain, found := context.WithCancelCause(drain)
	defer found(nil)
	searched := s.attend(drain, "capacity search", func(ctx context.Context) {
		if why := s.search.Run(ctx); why != "" {
			found(why)
		}
	})
	end := s.send(drain, abort)
	searched()
	end.Message += s.search.Record().Void
	return end
}

// Fill implements Mode.
func (s *searching) Fill(sum *runsummary.Summary) {
	s.live.Fill(sum)
	sum.Kind, sum.Capacity = runsummary.CapacitySearch, s.search.Record()
}
