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

// Prepare implements Mode. The search evaluates its steps itself: it misses thresholds on purpose.
func (s *searchMode) Prepare(ctx context.Context) (Prepared, problem.List) {
	prepared, problems := s.liveMode.Prepare(ctx)
	prepared.Thresholds, prepared.Stop = nil, stop.Conditions{}
	if problems.Err() == nil {
		s.search = search.New(s.plan, s.config, s.engine)
	}
	return prepared, problems
}

// Run implements Mode.
func (s *searchMode) Run(drain, abort context.Context) End {
	defer s.followControl(drain, fixedRate{s.engine})()
	s.readClocks(drain) // before the first step
	drain, finish := context.WithCancelCause(drain)
	defer finish(nil)
	stopSearch := s.goSupervised(drain, "capacity search", func(ctx context.Context) {
		if reason := s.search.Run(ctx); reason != "" {
			finish(reason)
		}
	})
	end := s.send(drain, abort)
	stopSearch()
	end.Message += s.search.Result().Void
	return end
}

// Fill implements Mode.
func (s *searchMode) Fill(sum *runsummary.Summary) {
	s.liveMode.Fill(sum)
	sum.Kind, sum.Capacity = runsummary.CapacitySearch, s.search.Result()
}
