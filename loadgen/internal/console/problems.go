package console

import (
	"fmt"
	"io"

	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Problems prints the problems with the settings, one per line: as text, or for a controller as package logline does.
func Problems(w io.Writer, asJSON bool, problems problem.List) {
	for _, p := range problems {
		if asJSON {
			logline.Write(w, p)
			continue
		}
		_, _ = fmt.Fprintf(w, "%s: %s\n", p.Severity, p)
	}
}
