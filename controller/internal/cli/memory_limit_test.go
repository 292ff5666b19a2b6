package cli_test

import (
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/cli"
)

func TestTheMemoryOfAContainerIsKeptTo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, text, env string
		want            int64
	}{
		{"/sys/fs/cgroup/memory.max", "268435456\n", "", 241591905},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n", "", 900},
		{"/sys/fs/cgroup/memory.max", "268435456\n", "1GiB", 0},
		{"/sys/fs/cgroup/memory.max", "max\n", "", 0},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n", "", 0},
		{"/nothing", "", "", 0},
	} {
		h := cli.Host{Host: app.Host{FS: afero.NewMemMapFs(), Env: map[string]string{"GOMEMLIMIT": c.env}}}
		if err := afero.WriteFile(h.FS, c.path, []byte(c.text), 0o444); err != nil {
			t.Fatal(err)
		}
		if got, limited := h.MemoryLimit(); got != c.want || limited != (c.want > 0) {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
