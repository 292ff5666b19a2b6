package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/profile"
)

func TestDistances(t *testing.T) {
	const ms = int64(time.Millisecond)
	for name, c := range map[string]struct {
		arrivals []int64
		want     []time.Duration // in ms
	}{
		"an exact sender is at no distance": {[]int64{5 * ms, 15 * ms, 25 * ms},
			[]time.Duration{0, 0, 0}},
		"a late hit does not affect the others": {[]int64{5 * ms, 18 * ms, 25 * ms},
			[]time.Duration{0, 3, 0}},
		"a late first hit does not make the others early": {[]int64{9 * ms, 15 * ms, 25 * ms},
			[]time.Duration{4, 0, 0}},
		"a slow sender gets later and later": {[]int64{0, 12 * ms, 24 * ms}, []time.Duration{0, 2, 4}},
		"a fast sender was late at first":    {[]int64{0, 8 * ms, 16 * ms}, []time.Duration{4, 2, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			got := lateness(c.arrivals, idealTimes(len(c.arrivals), 100))
			for i := range got {
				got[i] /= time.Millisecond
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestASlowSenderDrifts(t *testing.T) {
	slow := make([]int64, 100)
	for k := range slow {
		slow[k] = int64(k) * int64(11*time.Millisecond) // due every 10
	}
	if got := drift(lateness(slow, idealTimes(len(slow), 100))); got != 90*time.Millisecond {
		t.Errorf("drift %s, want 90ms", got)
	}
}

func TestIdealArrivalsOfAProfile(t *testing.T) {
	load, problems := profile.Parse("10s:0→172800, 5s:0, 10s:86400", nil, 1, time.UTC) // 10 visits, none, 10
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var start time.Time
	pieces := slices.Collect(load.Pieces(start, start, start.Add(load.Length())))
	times := idealArrivals(pieces, 1000)
	if len(times) != 20 || times[0] != 0 || times[10] != 15*time.Second || times[19] != 24*time.Second ||
		times[1] < 3*time.Second || times[1] > 3200*time.Millisecond {
		t.Errorf("%d: %v", len(times), times)
	}
	if got := idealArrivals(pieces, 7); !slices.Equal(got, times[:7]) {
		t.Errorf("of seven: %v", got)
	}
	arrivals := make([]int64, 0, 20)
	for _, m := range times[:19] { // the last is lost
		arrivals = append(arrivals, 1e9+int64(m))
	}
	if got := largestDeviation(append(pieces[:1:1], pieces[2]), arrivals, 1e9); got != "-10.000 %" {
		t.Errorf("largest deviation: %s", got)
	}
}

func TestMedian(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   float64
	}{
		"of an odd number is the middle":          {[]float64{9, 1, 5}, 5},
		"of an even number lies between":          {[]float64{9, 1, 5, 6}, 5.5},
		"one outlier does not move it to the far": {[]float64{1, 1000, 2}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := median(c.values); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestARatioIsToTheReferenceOfItsOwnRound(t *testing.T) {
	all := []tool{{name: "wrk"}, {name: "other"}}
	rounds := [][]measurement{ // the machine slows down; the other is always half as fast
		{{hits: 1000}, {hits: 500}}, {{hits: 400}, {hits: 200}}, {{hits: 100}, {hits: 50}},
	}
	table := resultTable(all, rounds, 0)
	if !strings.Contains(table, "200 | 0.500 ") || !strings.Contains(table, "400 | 1.000 ") {
		t.Errorf("\n%s", table)
	}
}

func TestAPeersOwnCountIsFound(t *testing.T) {
	said := map[string]string{
		"wrk":        "  385076 requests in 4.01s, 23.50MB read\nRequests/sec:  96119.68",
		"wrk, Lua":   "  385076 requests in 4.01s, 23.50MB read",
		"fortio":     "Code 200 : 385076 (100.0 %)",
		"bombardier": `{"result":{"req1xx":0,"req2xx":385076,"req3xx":0}}`,
		"plow":       "Summary:\n  Elapsed        8.6s\n  Count        385076\n    2xx        385076",
		"vegeta":     "Requests      [total, rate, throughput]         385076, 2000.04, 1999.98",
		"hey":        "Status code distribution:\n  [204]\t385076 responses",
		"k6":         "    http_reqs......................: 385076 48134.5/s",
	}
	for _, p := range knownPeers {
		if got := firstGroup(p.own, said[p.name]); got != "385076" {
			t.Errorf("%s: %q", p.name, got)
		}
	}
}

func TestOnlyTheSectionOfAPartIsReplaced(t *testing.T) {
	fsys := afero.NewMemMapFs()
	single, bulk, micro := parts()[0], parts()[1], parts()[4]
	for _, step := range []struct {
		p    part
		text string
	}{{micro, "slow"}, {single, "old\n\nwith a gap"}, {bulk, "many"}, {single, "new"}} {
		if err := saveSection(fsys, "RESULTS.md", step.p, step.text); err != nil {
			t.Fatal(err)
		}
	}
	got, err := afero.ReadFile(fsys, "RESULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	want := preface + "\n## " + single.title + "\n\nnew\n\n## " + bulk.title + "\n\nmany\n\n## " + micro.title +
		"\n\nslow\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCPUTimeAndMemory(t *testing.T) {
	dir := t.TempDir()
	fsys := afero.NewBasePathFs(afero.NewOsFs(), dir)
	for path, text := range map[string]string{
		"stat":   "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 1 5 80 4 0 0 0 0 0\ncpu1 30 0 20 40 0 2 5 3 0 0\nintr 1\n",
		"7/stat": "7 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 5 0 500 0" + strings.Repeat(" 0", 30) + "\n",
	} {
		if err := fsys.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := afero.WriteFile(fsys, path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	proc, err := procfs.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := readCore(proc, 1); err != nil || math.Abs(c.busy-0.6) > 1e-9 || math.Abs(c.total-1) > 1e-9 {
		t.Errorf("core 1: %+v, %v", c, err)
	}
	if _, err := readCore(proc, 2); err == nil {
		t.Error("there is no core 2")
	}
	if cpu, rss, err := readProcess(proc, 7); err != nil || cpu != 2 || rss != 500*os.Getpagesize() {
		t.Errorf("process: %v s, %d bytes, %v", cpu, rss, err)
	}
}
