package endtoend

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

func TestTheDemoEndsByItselfWithAnEvenAccount(t *testing.T) {
	t.Parallel()
	testbed.Loadgen(t) // the demo runs both from where they are built
	testbed.Controller(t)
	cmd := exec.CommandContext(t.Context(), "go", "run", "./controller/demo")
	cmd.Dir, cmd.Env = testbed.Root(), append(os.Environ(), "DEMO_SECONDS=3")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"/#code=", "hits accepted", "pageview", "accepted were recorded"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo should say %q:\n%s", want, out)
		}
	}
}
