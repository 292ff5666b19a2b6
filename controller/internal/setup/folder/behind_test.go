package folder_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// logged is called for each line of a log.
type logged func(line string)

// Write implements io.Writer.
func (l logged) Write(line []byte) (int, error) {
	l(string(line))
	return len(line), nil
}

// another is a publisher of the same set-up and folder, as that of a controller that starts, seen through fsys.
func (b bench) another(fsys afero.Fs) *folder.Publisher {
	return folder.New(b.library, b.store, fsys, filepath.Join(b.dir, "exchange"))
}

func TestAControllerThatStartsPublishesWhatTheOneBeforeItCouldNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	must(t, b.Saved(t.Context()))
	b.edit(t, exchange.URLsFile, "https://hand.test/\n")
	err := b.another(afero.NewReadOnlyFs(afero.NewOsFs())).Change(t.Context(), func(context.Context) error {
		b.configure(t, map[string]any{"MATOMO_URL": url, "CONCURRENCY": 9})
		return nil
	}, exchange.EnvFile)
	if behind := (*folder.Unpublished)(nil); !errors.As(err, &behind) {
		t.Fatalf("the folder is read-only: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := b.another(afero.NewOsFs())
	next.Watch(ctx, slog.New(slog.NewTextHandler(logged(func(line string) {
		if strings.Contains(line, "what was saved is published") {
			cancel()
		}
	}), nil)))
	if env(t, b)["CONCURRENCY"] != "9" || next.Unpublished() != nil {
		t.Errorf("%v, %v", env(t, b), next.Unpublished())
	}
	if string(b.file(t, exchange.URLsFile)) != "https://hand.test/\n" {
		t.Error("the edit by hand is lost")
	}
}

// A run that was started with settings of its own could crash and be started once more.
func TestAControllerThatStartsLeavesTheSettingsOfARunThatGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "CONCURRENCY": 9})
	_, err := b.Start(t.Context(), map[string]any{"CONCURRENCY": 3}, drawn)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	next := b.another(afero.NewOsFs())
	next.Watch(ctx, slog.New(slog.DiscardHandler))
	if env(t, b)["CONCURRENCY"] != "3" || next.Unpublished() != nil {
		t.Errorf("%v, %v", env(t, b), next.Unpublished())
	}
}

func TestWhyNothingCanBePublishedIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := b.another(afero.NewReadOnlyFs(afero.NewOsFs()))
		if err := p.Change(t.Context(), func(context.Context) error { return nil }); err == nil {
			t.Fatal("the folder is read-only")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of many tries
		defer cancel()
		lines := 0
		p.Watch(ctx, slog.New(slog.NewTextHandler(logged(func(line string) {
			if lines++; !strings.Contains(line, "cannot be published") ||
				!strings.Contains(line, "operation not permitted") {
				t.Errorf("logged %q", line)
			}
		}), nil)))
		if lines != 1 {
			t.Errorf("%d lines", lines)
		}
	})
}
