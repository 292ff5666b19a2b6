package containertest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// reconciled is what of a reconciliation the tests look at.
type reconciled struct {
	State   string
	Targets []struct {
		Slice, Error string
		Rows         []struct {
			Group, Name, Verdict string
			Off                  float64
		}
	}
}

// off are the rows that are not equal, by name.
func (r reconciled) off() map[string]float64 {
	out := map[string]float64{}
	for _, t := range r.Targets {
		for _, row := range t.Rows {
			if row.Verdict != "equal" {
				out[row.Name] = row.Off
			}
		}
	}
	return out
}

// read asks for JSON.
func (p product) read(t *testing.T, path string, into any) {
	t.Helper()
	resp := p.ask(t, http.MethodGet, path, nil)
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// proves runs some 13,000 hits into a sink that is told to do wrong, and reconciles the run.
func proves(t *testing.T, sinkFlags ...string) reconciled {
	t.Helper()
	if err := files(); err != nil {
		t.Fatal(err)
	}
	dir, sink, api := folders(t), freePort(t), freePort(t)
	loadgen := filepath.Join(root(), "bin", "loadgen")
	background(t, nil, loadgen, append([]string{"sink", "--quiet", "--seed", "1", "--addr", sink}, sinkFlags...)...)
	background(t, []string{
		"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + api, "DATA_DIR=" + filepath.Join(dir, "data"), "RUNTIME=process",
		"LOADGEN_BIN=" + loadgen, "PRESETS_DIR=" + filepath.Join(root(), "presets"), "CONTROL_UI_API_KEY=" + key,
	}, filepath.Join(root(), "bin", "controller"), "serve")
	p := product{dir: dir, api: "http://" + api, sink: "http://" + sink, tracker: "http://" + sink + "/matomo.php"}
	await(t, "the controller answers", func() bool { var v any; return getJSON(t, p.api+"/health", &v) })
	p.call(t, http.MethodPut, "/api/config", p.config(map[string]any{
		"TARGET_VISITS_PER_DAY": 1.3e7, "STOP_AFTER_VISITS": 2000, "RUN_DIMENSION": 4, "PAUSE_BETWEEN_PVS_MAX": 0.5,
	}), http.StatusOK)
	p.call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	var s status
	await(t, "the run has ended", func() bool { s = p.status(t); return s.Run.Ended != nil })
	path := "/api/runs/" + s.Run.ID + "/reconcile"
	p.call(t, http.MethodPost, path, map[string]any{"every_seconds": 1, "limit_seconds": 60}, http.StatusAccepted)
	var r reconciled
	await(t, "the reconciliation is done", func() bool { p.read(t, path, &r); return r.State == "done" })
	if len(r.Targets) != 1 || r.Targets[0].Slice != "dimension" || r.Targets[0].Error != "" {
		t.Fatalf("%+v", r)
	}
	return r
}

func TestACleanRunReconciles(t *testing.T) {
	if off := proves(t).off(); len(off) > 0 {
		t.Errorf("not equal: %v", off)
	}
}

func TestALossOfOneHitInTenThousandIsFound(t *testing.T) {
	off := proves(t, "--lose-share", "0.0001").off()
	missing := 0.0
	for _, n := range off {
		missing += min(0, n)
	}
	if missing >= 0 {
		t.Errorf("nothing is missing: %v", off)
	}
}

func TestADuplicationIsFound(t *testing.T) {
	off := proves(t, "--duplicate-share", "0.001").off()
	if off["pageviews"]+off["events"] <= 0 {
		t.Errorf("nothing is there twice: %v", off)
	}
}

func TestLateArchivingIsWaitedFor(t *testing.T) {
	if off := proves(t, "--archive-delay", "10s").off(); len(off) > 0 {
		t.Errorf("not equal: %v", off)
	}
}
