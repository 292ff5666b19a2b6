package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// large does not fit into the pages that a database has.
var large = bytes.Repeat([]byte("x"), 1<<20)

func TestAFullDatabaseTellsItsFileAndTakesWritesAgainLater(t *testing.T) {
	path := temp(t)
	s := open(t, path)
	must(t, s.Fill(t.Context()))
	for name, write := range map[string]func(context.Context) error{
		"one statement": func(ctx context.Context) error { return s.SaveList(ctx, stored.URLs, large) },
		"a transaction": func(ctx context.Context) error {
			return s.SavePlan(ctx, map[string][]byte{"urls.txt": large})
		},
	} {
		err := write(t.Context())
		var at *fs.PathError
		if !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &at) || at.Path != path {
			t.Errorf("%s: got %v", name, err)
		}
		must(t, s.Empty(t.Context()))
		must(t, write(t.Context()))
		must(t, s.Fill(t.Context()))
	}
}

func TestADatabaseThatCannotBeWrittenFailsItsProbe(t *testing.T) {
	s := open(t, temp(t))
	must(t, s.Probe(t.Context()))
	must(t, s.ReadOnly(t.Context()))
	for name, err := range map[string]error{
		"probe": s.Probe(t.Context()),
		"write": s.BeginRun(t.Context(), record.Run{Head: record.Head{ID: "a", Kind: runsummary.Live}}),
	} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
