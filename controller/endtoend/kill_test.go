package endtoend

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// A controller that is killed takes the reader of its loadgen's output along, and asks the loadgen to end.
func TestTheLedgerIsTrueWhenTheControllerEnds(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"live", "bulk", "backfill"} {
		for _, by := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			t.Run(kind+" by "+by.String(), func(t *testing.T) {
				t.Parallel()
				endsUnder(t, kind, by)
			})
		}
	}
}

// endsUnder ends a controller by a signal while a run of a kind sends, and starts the next one.
func endsUnder(t *testing.T, kind string, by syscall.Signal) {
	dir, sink, api := Folders(t), freePort(t), freePort(t)
	background(t, nil, testbed.Loadgen(t), "sink", "--quiet", "--addr", sink, "--token", Token)
	p := Product{API: "http://" + api, Dir: dir, Tracker: "http://" + sink + "/matomo.php", Sink: "http://" + sink}
	first := serve(t, p, api)
	knobs := map[string]any{"TARGET_VISITS_PER_DAY": 2_000_000, "PAUSE_BETWEEN_PVS_MAX": 1, "PAUSE_BETWEEN_PVS_MIN": 0,
		"TIMEZONE": "CET"}
	var id string
	switch kind {
	case "backfill":
		knobs["TARGET_VISITS_PER_DAY"], knobs["BULK_SIZE"] = 100, 10
		p.Call(t, http.MethodPut, "/api/config", p.config(knobs), http.StatusOK)
		id, _ = p.Call(t, http.MethodPost, "/api/backfill/run",
			map[string]any{"DAYS_BACK": 3, "DURATION_DAYS": 2, "RPS_LIMIT": 20}, http.StatusAccepted)["run_id"].(string)
	case "bulk":
		knobs["SEND_MODE"], knobs["BULK_SIZE"] = "bulk", 20
		fallthrough
	default:
		p.Call(t, http.MethodPut, "/api/config", p.config(knobs), http.StatusOK)
		id, _ = p.Call(t, http.MethodPost, "/api/start", nil, http.StatusOK)["run_id"].(string)
	}
	testbed.WaitFor(t, "the sink has a hundred hits", func() bool { return sum(p.recorded(t).Total.Hits) >= 100 })
	if err := first.Process.Signal(by); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // it was told to end
	serve(t, p, api)

	state := filepath.Join(dir, "data", "state")
	if kind == "backfill" {
		p.until(t, id, "the next controller has sent the rest", func(j Backfill) bool {
			return j.State == "exited" && j.ExitCode != nil && *j.ExitCode == 0
		})
		state = filepath.Join(state, exchange.JobFolder(id))
	} else {
		testbed.WaitFor(t, "the run has ended", func() bool {
			return p.Call(t, http.MethodGet, "/api/runs/"+id, nil, http.StatusOK)["ended"] != nil
		})
	}
	s := ledger(t, state, id)
	got := p.recorded(t).Total.Hits
	for name, n := range got {
		if h := s.ByKind[name]; n < h.Accepted || n > h.Accepted+h.Unknown {
			t.Errorf("%s: the sink has %d, the ledger %d and %d unknown", name, n, h.Accepted, h.Unknown)
		}
	}
	if want := map[string]string{"backfill": "backfill_finished"}[kind]; s.Reason != want &&
		(want != "" || s.Reason != "interrupted") {
		t.Errorf("it ended as %q", s.Reason)
	}
	if open, err := filepath.Glob(filepath.Join(state, id+".[jl]*")); err != nil || len(open) > 0 {
		t.Errorf("left open: %v, %v", open, err)
	}
}

func sum(hits map[string]uint64) (n uint64) {
	for _, h := range hits {
		n += h
	}
	return n
}

// ledger is the ledger of a run that has ended.
func ledger(t *testing.T, dir, id string) (s runsummary.Summary) {
	t.Helper()
	testbed.WaitFor(t, "its ledger is closed", func() bool {
		data, err := statedir.Read(afero.NewOsFs(), dir, id)
		return err == nil && json.Unmarshal(data, &s) == nil && !s.Ended.IsZero()
	})
	return s
}

// controllerOf is the program of a controller with processes.
func controllerOf(t *testing.T, p Product, api string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(testbed.Controller(t), "serve")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + api, "DATA_DIR=" + filepath.Join(p.Dir, "data"),
		"RUNTIME=process",
		"LOADGEN_BIN=" + testbed.Loadgen(t), "PRESETS_DIR=" + filepath.Join(testbed.Root(), "presets"),
		"CONTROL_UI_API_KEY=" + Key,
	}
	return cmd
}

// serve runs a controller until the test ends, or it is killed.
func serve(t *testing.T, p Product, api string) *exec.Cmd {
	t.Helper()
	cmd, said := controllerOf(t, p, api), &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the controller said:\n%s", said.String())
		}
	})
	p.Answers(t)
	return cmd
}

// The log of a controller may go to a program that ends before it.
func TestAControllerOutlivesTheReaderOfItsOutput(t *testing.T) {
	t.Parallel()
	reader, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, api := Folders(t), freePort(t)
	p := Product{API: "http://" + api, Dir: dir, Tracker: "http://127.0.0.1:1/matomo.php"}
	cmd := controllerOf(t, p, api)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended
	p.Answers(t)
	for _, end := range []*os.File{output, reader} {
		if err := end.Close(); err != nil {
			t.Fatal(err)
		}
	}
	p.Call(t, http.MethodPut, "/api/config", p.config(nil), http.StatusOK) // which is logged
	p.Call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
