package setup

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// What a Draft holds instead of a token, so that none leaves the database for it, and where no target is saved.
const (
	standInToken = "00000000000000000000000000000000" //nolint:gosec // a stand-in guards nothing
	standInURL   = "http://matomo.invalid/matomo.php"
)

// Draft is a plan to look at and not to run: its tokens are stand-ins, and it needs no saved target. body, unless it
// is nil, is a funnel as for CreateFunnel, which every visit then follows; name and probability may be missing. The
// error is a problem.List with the faults of both, those of the funnel under "funnel"; its warnings are returned beside
// the set-up.
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
	// how a target is reached makes no visit another
	for _, key := range slices.Concat(spec.AccessSettings, spec.SharedSettings) {
		in.Knobs[key] = ""
	}
	for _, f := range Fields() {
		if f.Secret && in.Knobs[f.Key] != "" {
			in.Knobs[f.Key] = standInToken
		}
	}
	switch {
	case in.Targets != nil:
		for i := range in.Targets.Targets {
			t := &in.Targets.Targets[i]
			if t.Access = (target.Access{}); t.Token != "" {
				t.Token = secret.String(standInToken)
			}
		}
	case in.Knobs["MATOMO_URL"] == "":
		in.Knobs["MATOMO_URL"] = standInURL
	}
	return in, problems, nil
}
