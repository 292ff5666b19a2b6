package setup_test

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/exchange"
)

func TestDeletedRunsAreListedAsLongAsTheLoadgenKeepsThem(t *testing.T) {
	b := newBench(t)
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	kept := map[string]bool{"a": true, "b": true}
	has := func(id string) (bool, error) { return kept[id], nil }
	listed := func() exchange.DeletedRuns {
		list, err := exchange.ParseDeleted(b.file(t, exchange.DeletedFile))
		must(t, err)
		return list
	}
	must(t, b.Delete(map[string]time.Time{"a": noon, "never": noon}, has))
	must(t, b.Delete(map[string]time.Time{"b": noon.Add(time.Hour)}, has))
	if got := listed(); len(got.Runs) != 2 || !got.Runs["a"].Equal(noon) || !got.Runs["b"].Equal(noon.Add(time.Hour)) {
		t.Errorf("got %v", got)
	}
	delete(kept, "a") // the loadgen has deleted it
	must(t, b.Delete(nil, has))
	if ids := slices.Collect(maps.Keys(listed().Runs)); !slices.Equal(ids, []string{"b"}) {
		t.Errorf("got %v", ids)
	}
	broken := errors.New("state cannot be read")
	if err := b.Delete(nil, func(string) (bool, error) { return false, broken }); !errors.Is(err, broken) ||
		len(listed().Runs) != 1 {
		t.Errorf("%v, %v", err, listed())
	}
	if changed, err := b.Conflicts(t.Context()); err != nil || len(changed) > 0 {
		t.Errorf("%s is no edit by hand: %v, %v", filepath.Base(exchange.DeletedFile), changed, err)
	}
}
