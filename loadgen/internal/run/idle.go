package run

import (
	"context"
	"errors"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// idleMode sends nothing until it is stopped. It is also the mode of a run that is being prepared.
type idleMode struct{ phase phase.Phase }

// Prepare implements Mode.
func (idleMode) Prepare(context.Context) (Prepared, problem.List) { return Prepared{}, nil }

// Run implements Mode.
func (idleMode) Run(drain, _ context.Context) End {
	<-drain.Done()
	if errors.Is(context.Cause(drain), endreason.InternalError) {
		return End{Reason: endreason.InternalError}
	}
	return End{} // a signal
}

// State implements Mode.
func (i idleMode) State() State { return State{Phase: i.phase} }

// Ahead implements Mode.
func (idleMode) Ahead() uint64 { return 0 }

// Fill implements Mode.
func (idleMode) Fill(*runsummary.Summary) {}

// Close implements Mode.
func (idleMode) Close() error { return nil }
