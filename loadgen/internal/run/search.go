package run

import (
	"context"

	"github.com/puttrix/trafficinator/loadgen/internal/search"
	"github.com/puttrix/trafficinator/loadgen/internal/stop"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// searchMode sends visits at the rates of a capacity search.
type searchMode struct {
	liveMode
	search *search.Search
}

// Prepare implements Mode. The search judges its steps itself: it misses thresholds on purpose.
func (s *searchMode) Prepare(ctx context.Context) (Prepared, problem.List) {
	terms, problems := s.liveMode.Prepare(ctx)
	terms.Thresholds, terms.Stop = nil, stop.Conditions{}
	if problems.Err() == nil {
		s.search = search.New(s.plan, s.config, s.engine)
	}
	return terms, problems
}

// Run implements Mode.
func (s *searchMode) Run(drain, abort context.Context) End {
	defer s.followControl(drain, fixedRate{s.engine})()
	s.readClocks(drain) // no step is under way meanwhile
	drain, found := context.WithCancelCause(drain)
	defer found(nil)
	searched := s.goSupervised(drain, "capacity search", func(ctx context.Context) {
		if why := s.search.Run(ctx); why != "" {
			found(why)
		}
	})
	end := s.send(drain, abort)
	searched()
	end.Message += s.search.Result().Void
	return end
}

// Fill implements Mode.
func (s *searchMode) Fill(sum *runsummary.Summary) {
	s.liveMode.Fill(sum)
	sum.Kind, sum.Capacity = runsummary.CapacitySearch, s.search.Result()
}
