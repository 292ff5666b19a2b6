package sender

import (
	"bytes"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
)

// Ask sends a hit as those of the run are sent, in a request that is larger by so many bytes: Matomo takes some tokens
// in a form, but not in a bulk request. A form is widened by one parameter that Matomo does not read, because PHP reads
// the first 1,000 alone (max_input_vars) and the token comes last; a bulk request by white space.
func (s *Sender) Ask(target int, hit []byte, more int) tracking.Result {
	if !s.bulk {
		const name = "&rand="
		if more >= len(name) {
			hit = append(append(hit, name...), bytes.Repeat([]byte("0"), more-len(name))...)
		}
		return s.targets[target].Send(hit, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	}
	return s.targets[target].SendBulk(append(tracking.AppendWide(tracking.BulkBody(), more), hit...), 1)
}
