package plan

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestLimitConcurrency(t *testing.T) {
	t.Parallel()
	const may = ` is more than this process can have, which may open `
	for name, c := range map[string]struct {
		spec        spec.Spec
		descriptors uint64
		want        int // requests, 0 where it is refused
		printed     string
	}{
		"enough":  {spec.Spec{Concurrency: 200}, 232, 200, ""},
		"unknown": {spec.Spec{Concurrency: 200}, 0, 200, ""},
		"too few": {spec.Spec{Concurrency: 200}, 64, 32,
			`CONCURRENCY="200":` + may +
				`64 files: reduced to 32; allow it 232: ulimit -n, or nofile of the container`},
		"a backfill": {spec.Spec{Concurrency: 200, BackfillShards: 8, BackfillEnabled: true}, 36, 4,
			`BACKFILL_SHARDS="8":` + may +
				`36 files: reduced to 4; allow it 40: ulimit -n, or nofile of the container`},
		"not one a target": {spec.Spec{Concurrency: 50}, 33,
			0, `CONCURRENCY="50":` + may + `33 files; allow it 82: ulimit -n, or nofile of the container`},
		"fewer than spared": {spec.Spec{Concurrency: 50}, 9, 0,
			`CONCURRENCY="50":` + may + `9 files; allow it 82: ulimit -n, or nofile of the container`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &Plan{spec: c.spec, Targets: make([]target.Target, 2)}
			p.derive()
			var printed []string
			problems := p.LimitConcurrency(c.descriptors)
			for _, p := range problems {
				printed = append(printed, p.String())
			}
			if strings.Join(printed, " ") != c.printed || (problems.Err() != nil) != (c.want == 0) {
				t.Errorf("printed %q, want %q", printed, c.printed)
			}
			got := p.Sending.Concurrency
			if c.want > 0 && got != c.want {
				t.Errorf("%d requests, want %d", got, c.want)
			}
		})
	}
}
