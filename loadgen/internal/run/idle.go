package run

import (
	"context"
	"errors"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// idle sends nothing until it is told to end. It stands in for the mode of a run that is starting, too.
type idle struct{ phase phase.Phase }

// Prepare implements Mode.
func (idle) Prepare(context.Context) (Terms, problem.List) { return Terms{}, nil }

// Run implements Mode.
func (idle) Run(drain, _ context.Context) End {
	<-drain.Done()
	if errors.Is(context.Cause(drain), endreason.InternalError) {
		return End{Reason: endreason.InternalError}
	}
	return End{} // a signal is what it waited for
}

// State implements Mode.
func (i idle) State() State { return State{Phase: i.phase} }

// Ahead implements Mode.
func (idle) Ahead() uint64 { return 0 }

// Fill implements Mode.
func (idle) Fill(*runsummary.Summary) {}

// Close implements Mode.
func (idle) Close() error { return nil }
