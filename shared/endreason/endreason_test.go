package endreason

import "testing"

func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	for _, reason := range []Reason{
		StoppedAfterVisits, AutoStopped, ProfileEnded, Threshold, ErrorBrake, Interrupted, Stopped, NoTarget,
		InternalError,
		Killed, CapacityFound, CapacityNotReached, CapacityNone, CapacityVoid, BackfillFinished, JournalFailed, Failed,
		Crashed, Removed, Cancelled,
	} {
		if row := rows[reason]; row.description == "" || row.orderly && row.code != 0 {
			t.Errorf("%s: %+v", reason, row)
		}
	}
	if later := Reason("of_a_later_version"); later.Description() != "of_a_later_version" || later.IsOrderly() ||
		later.EarlyEnd() != "" {
		t.Errorf("%s: %q, good %t, cut %q", later, later.Description(), later.IsOrderly(), later.EarlyEnd())
	}
	if open := Reason(""); !open.IsOrderly() || open.Description() != "" {
		t.Error("a run that has not ended has failed")
	}
}
