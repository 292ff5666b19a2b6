package containertest_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// counterpart is a sink in a container of its own.
type counterpart struct {
	network string
	// inside is the tracker's address for other containers, outside that of the sink for this machine.
	inside, outside string
}

func startSink(t *testing.T, name string) counterpart {
	t.Helper()
	net := network(t, unique(name))
	sink := start(t, unique(name+"-sink"), "--network", net, "--network-alias", "sink", "--publish", "127.0.0.1::8080",
		"--health-interval", "1s", testbed.LoadgenImage, "sink", "--addr", ":8080")
	c := counterpart{net, "http://sink:8080/matomo.php", "http://" + testbed.Docker(t, "port", sink, "8080/tcp")}
	testbed.WaitFor(t, "the sink answers", func() bool {
		var v any
		return testbed.GetJSON(t, c.outside+"/sink/counts", &v)
	})
	return c
}

// accepted are the hits that the sink recorded, by kind.
func (c counterpart) accepted(t *testing.T) map[string]uint64 {
	t.Helper()
	var counts struct {
		Total struct{ Hits map[string]uint64 }
	}
	if !testbed.GetJSON(t, c.outside+"/sink/counts", &counts) {
		t.Fatal("the sink does not answer")
	}
	hits := counts.Total.Hits
	maps.DeleteFunc(hits, func(_ string, n uint64) bool { return n == 0 })
	return hits
}

func (c counterpart) objections(t *testing.T) []any {
	t.Helper()
	var list []any
	if !testbed.GetJSON(t, c.outside+"/sink/violations", &list) {
		t.Fatal("the sink does not answer")
	}
	return list
}

type hits struct{ Planned, Accepted, Rejected, Failed, Unknown, Shed, Abandoned uint64 }

func (h hits) ended() uint64 {
	return h.Accepted + h.Rejected + h.Failed + h.Unknown + h.Shed + h.Abandoned
}

type summary struct {
	Reason string
	Hits   hits
	ByKind map[string]hits `json:"by_kind"`
	Visits struct{ Planned, Complete uint64 }
}

// sent demands that so many visits began and that each hit was accepted, but for those for which this machine had no
// time: no test may need a quiet one.
func (s summary) sent(t *testing.T, visits uint64) {
	t.Helper()
	h := s.Hits
	if s.Visits.Planned != visits || h.Accepted == 0 || h.Accepted+h.Shed != h.Planned || h.Shed == 0 &&
		s.Visits.Complete != visits {
		t.Errorf("want %d visits with all their hits accepted: %+v", visits, s)
	}
}

// recorded holds the ledger against the sink. Where the answer to a hit is missing, it may be there or not.
func (s summary) recorded(t *testing.T, sink counterpart) {
	t.Helper()
	there := sink.accepted(t)
	for kind, h := range s.ByKind {
		if got := there[kind]; got < h.Accepted || got > h.Accepted+h.Unknown {
			t.Errorf("%s: %d accepted and %d unknown, the sink recorded %d", kind, h.Accepted, h.Unknown, got)
		}
		delete(there, kind)
	}
	if len(there) > 0 {
		t.Errorf("the ledger does not know of %v", there)
	}
}

func readSummary(t *testing.T, path string) summary {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	for kind, h := range s.ByKind {
		if h.Planned != h.ended() {
			t.Errorf("%s: %d planned, but %d ended: %+v", kind, h.Planned, h.ended(), h)
		}
	}
	if s.Hits.Planned != s.Hits.ended() || s.Hits.Planned == 0 {
		t.Errorf("%d planned, %d ended: %+v", s.Hits.Planned, s.Hits.ended(), s.Hits)
	}
	return s
}

// copied fetches the summary that a container left in its state folder.
func copied(t *testing.T, container string) summary {
	t.Helper()
	path := filepath.Join(t.TempDir(), "summary.json")
	testbed.Docker(t, "cp", container+":/app/state/summary.json", path)
	return readSummary(t, path)
}

func startLoadgen(t *testing.T, name string, to counterpart, settings ...string) string {
	t.Helper()
	args := []string{"--network", to.network, "--health-interval", "1s", "--env", "MATOMO_URL=" + to.inside, "--env",
		"SUMMARY_FILE=/app/state/summary.json"}
	for _, s := range settings {
		args = append(args, "--env", s)
	}
	return start(t, unique(name), append(args, testbed.LoadgenImage)...)
}

func TestAContainerIsHealthyWhileItRunsAndEndsWithTheServersCounts(t *testing.T) {
	t.Parallel()
	testbed.NeedsLoadgenImage(t)
	sink := startSink(t, "run")
	run := startLoadgen(t, "run", sink, "STOP_AFTER_VISITS=60", "TARGET_VISITS_PER_DAY=1e6",
		"PAUSE_BETWEEN_PVS_MIN=0.1", "PAUSE_BETWEEN_PVS_MAX=0.5")
	testbed.WaitFor(t, "the container is healthy", func() bool {
		return inspect(t, run, "{{.State.Health.Status}}") == "healthy"
	})
	if code := testbed.Docker(t, "wait", run); code != "0" {
		t.Fatalf("exit code %s, want 0", code)
	}
	s := copied(t, run)
	s.sent(t, 60)
	s.recorded(t, sink)
	if list := sink.objections(t); len(list) > 0 {
		t.Errorf("the sink objects: %v", list)
	}
	if user := inspect(t, run, "{{.Config.User}}"); user != "1000:1000" {
		t.Errorf("runs as %q, want a user without rights", user)
	}
}

// The image has one healthcheck, and a service of Swarm or compose waits for it also where the image plays the sink.
func TestASinkInAContainerIsHealthy(t *testing.T) {
	t.Parallel()
	testbed.NeedsLoadgenImage(t)
	sink := start(t, unique("sink"), "--health-interval", "1s", testbed.LoadgenImage, "sink")
	testbed.WaitFor(t, "the sink is healthy", func() bool {
		return inspect(t, sink, "{{.State.Health.Status}}") == "healthy"
	})
}

func TestDockerStopEndsARunInTimeWithEverythingAccountedFor(t *testing.T) {
	t.Parallel()
	testbed.NeedsLoadgenImage(t)
	sink := startSink(t, "stop")
	run := startLoadgen(t, "stop", sink, "TARGET_VISITS_PER_DAY=5e6")
	testbed.WaitFor(t, "traffic flows", func() bool { return sink.accepted(t)["pageview"] > 200 })
	testbed.Docker(t, "stop", "--time", "60", run) // then the engine kills, and the exit code is 137
	if code := inspect(t, run, "{{.State.ExitCode}}"); code != "130" {
		t.Errorf("exit code %s, want 130", code)
	}
	s := copied(t, run)
	if s.Hits.Abandoned == 0 {
		t.Errorf("stopped in the middle, yet nothing was abandoned: %+v", s.Hits)
	}
	s.recorded(t, sink)
}

func TestAContainerWithoutATargetSaysWhatToSet(t *testing.T) {
	t.Parallel()
	testbed.NeedsLoadgenImage(t)
	run := start(t, unique("bare"), testbed.LoadgenImage)
	if code := testbed.Docker(t, "wait", run); code != "2" {
		t.Errorf("exit code %s, want 2", code)
	}
}
