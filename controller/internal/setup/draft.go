package setup

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Draft returns a plan for a preview, which is never run: its tokens are placeholders, and it needs no saved target.
// body, unless it is nil, is a funnel as for CreateFunnel that every visit follows; name and probability may be missing.
// The error is a problem.List with the errors of both, those of the funnel under "funnel"; warnings are returned beside
// the plan.
func (s *Service) Draft(ctx context.Context, overrides map[string]any, body []byte) (plan.Input, problem.List, error) {
	in, err := s.input(ctx, overrides, true)
	var problems problem.List
	if err != nil && !errors.As(err, &problems) {
		return plan.Input{}, nil, err
	}
	if body != nil {
		f, more := readFunnel(map[string]json.RawMessage{"name": json.RawMessage(`"draft"`),
			"probability": json.RawMessage("1")}, body)
		for i, p := range more {
			if p.Where != "funnel" {
				more[i].Where = "funnel." + p.Where
			}
		}
		problems = append(problems, more...)
		f.Probability, f.Enabled = 1, true
		in.Funnels = []funnel.Funnel{f}
	}
	if err := problems.Err(); err != nil {
		return plan.Input{}, nil, err
	}
	return in.WithoutAccess(), problems, nil
}
