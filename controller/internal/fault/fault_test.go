package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/fault"
)

type lost struct{}

func (lost) Error() string { return "lost" }
func (lost) Unwrap() error { return fault.Conflict }

func TestAKindIsFoundWhereverItWasGiven(t *testing.T) {
	t.Parallel()
	missing := fault.NotFound.New("there is no loadgen")
	for _, c := range []struct {
		err  error
		want fault.Kind
		text string
	}{
		{missing, fault.NotFound, "there is no loadgen"},
		{fmt.Errorf("start: %w: %w", missing, fault.Busy.New("wait")), fault.NotFound,
			"start: there is no loadgen: wait"},
		{errors.Join(io.EOF, missing), fault.NotFound, "EOF\nthere is no loadgen"},
		{fmt.Errorf("again: %w", lost{}), fault.Conflict, "again: lost"},
		{io.EOF, "", "EOF"},
	} {
		kind, found := fault.Of(c.err)
		if kind != c.want || found != (c.want != "") || c.err.Error() != c.text {
			t.Errorf("%v: %q, %v", c.err, kind, found)
		}
		if found && !errors.Is(c.err, c.want) {
			t.Errorf("%v is not %s", c.err, c.want)
		}
	}
	if !errors.Is(missing, missing) || errors.Is(fault.NotFound.New("there is no loadgen"), missing) {
		t.Error("an error is one of its own, whatever its kind and text")
	}
}
