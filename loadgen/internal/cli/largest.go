package cli

import (
	"fmt"
	"io"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// tryLargest asks whether a target that takes a hit takes it in a request as large as the largest of the run. It is
// false where hits would be lost.
func tryLargest(w io.Writer, s *sender.Sender, p *plan.Plan, target int, hit []byte) bool {
	t := p.Targets[target]
	most, size := p.Sending.Batch, max(s.Largest(p, target), len(hit))
	res := s.Ask(target, hit, size-len(hit))
	if res.Class.Outcome() == outcome.Accepted {
		_, _ = fmt.Fprintf(w, "target %s: takes requests of %d bytes, as large as the largest of the run\n",
			t.Name, size)
		return true
	}
	taken := size / 2
	for taken > len(hit) && s.Ask(target, hit, taken-len(hit)).Class.Outcome() != outcome.Accepted {
		taken /= 2
	}
	_, _ = fmt.Fprintf(w, "target %s: takes no requests of %d bytes, as large as the largest of the run, but some "+
		"of %d: %s\n", t.Name, size, taken, res.String())
	cure := "let the server take larger requests (nginx: client_max_body_size, PHP: post_max_size)"
	if most > 1 {
		cure += fmt.Sprintf(", or set BULK_SIZE=%d", max(1, most*taken/size))
	}
	_, _ = fmt.Fprintf(w, "  %-11s  -> %s\n", "", cure)
	return res.Class.Split() && most > 1 // the run sends smaller ones by itself
}
