package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/afero"
)

// cgroupLimits are where Linux says how much memory this process may have: version 2 and 1 of control groups.
var cgroupLimits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// MemoryLimit is how much memory Go should keep to, in bytes: nine tenths of what the container may have, so that
// garbage is collected before the kernel kills. It is false where there is no limit, or GOMEMLIMIT sets one.
func (h Host) MemoryLimit() (int64, bool) {
	if h.Env["GOMEMLIMIT"] != "" {
		return 0, false
	}
	for _, path := range cgroupLimits {
		data, err := afero.ReadFile(h.FS, path)
		if err != nil {
			continue
		}
		// "max", and numbers near the largest there is, are no limit.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 && n < 1<<50 {
			return n / 10 * 9, true
		}
	}
	return 0, false
}
