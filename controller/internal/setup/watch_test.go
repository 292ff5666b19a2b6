package setup_test

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

	"github.com/puttrix/trafficinator/controller/internal/setup"
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

// another is the same set-up and folder, as that of a controller that starts, seen through fsys.
func (b bench) another(fsys afero.Fs) *setup.Service {
	return setup.New(b.store, folder.New(b.store, fsys, filepath.Join(b.dir, "exchange")), afero.NewOsFs(), "", b.dir)
}

func TestAControllerThatStartsPublishesWhatTheOneBeforeItCouldNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	must(t, b.Publish(t.Context()))
	b.edit(t, exchange.URLsFile, "https://hand.test/\n")
	blocked := b.another(afero.NewReadOnlyFs(afero.NewOsFs()))
	_, err := blocked.MergeConfig(t.Context(), map[string]any{"MATOMO_URL": url, "CONCURRENCY": 9}, 0)
	must(t, err)
	if behind := (*folder.Unpublished)(nil); !errors.As(blocked.Unpublished(), &behind) {
		t.Fatalf("the folder is read-only: %v", blocked.Unpublished())
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := b.another(afero.NewOsFs())
	next.Watch(ctx, slog.New(slog.NewTextHandler(logged(func(line string) {
		if strings.Contains(line, "the saved changes are published") {
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
		if _, err := p.SaveURLs(t.Context(), []byte(pages)); err != nil || p.Unpublished() == nil {
			t.Fatalf("the folder is read-only: %v", err)
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
