package run_test

import (
	"testing"
	"testing/synctest"
)

func TestALoadgenThatIsStartingIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.saved["WHAT"] = "slow"
		k := control(t, w)
		start(t, k)
		if st := k.Status(); st.Run.PlanHash != "hash of slow" || !st.Active() {
			t.Errorf("the run is %+v", st)
		}
	})
}
