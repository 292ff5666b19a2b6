package console

import (
	"fmt"
	"io"

	"github.com/puttrix/trafficinator/shared/problem"
)

// Problems prints what is wrong with the settings, a line each.
func Problems(w io.Writer, problems problem.List) {
	for _, p := range problems {
		_, _ = fmt.Fprintf(w, "%s: %s\n", p.Severity, p)
	}
}
