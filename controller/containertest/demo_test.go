package containertest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTheDemoEndsByItselfWithAnEvenAccount(t *testing.T) {
	t.Parallel()
	if err := files(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "./controller/demo")
	cmd.Dir, cmd.Env = root(), append(os.Environ(), "DEMO_SECONDS=3")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"/#code=", "hits accepted", "pageview", "and no other"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo should say %q:\n%s", want, out)
		}
	}
}
