package disk_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/disk"
)

var full = &fs.PathError{Op: "write", Path: "/data/exchange/.probe.1", Err: syscall.ENOSPC}

func TestPlacesAreTriedOnceAMinuteAndRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards what the two sides share
		var tries int
		var now error
		var changes [][]disk.Fault
		w := disk.NewMonitor(slog.New(slog.DiscardHandler), func(f []disk.Fault) {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, f)
		}, func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			tries++
			return now
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { w.Run(ctx); close(ended) }()
		synctest.Wait()
		// aMinuteLater is what is known a minute after the disk has become so.
		aMinuteLater := func(disk error) (int, int) {
			mu.Lock()
			now = disk
			mu.Unlock()
			time.Sleep(time.Minute)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return tries, len(changes)
		}
		tried, changed := aMinuteLater(full)
		if f := w.Faults(); tried != 2 || changed != 1 || len(f) != 1 || f[0].Place != "/data/exchange" {
			t.Errorf("%d tries, %d changes, %+v", tried, changed, f)
		}
		tried, changed = aMinuteLater(nil)
		if f := w.Faults(); tried != 3 || changed != 2 || len(f) != 0 {
			t.Errorf("%d tries, %d changes, %+v", tried, changed, f)
		}
		cancel()
		<-ended
	})
}

func TestAWriteThatFailsIsKnownBeforeTheNextProbe(t *testing.T) {
	t.Parallel()
	changes := 0
	w := disk.NewMonitor(slog.New(slog.DiscardHandler), func([]disk.Fault) { changes++ })
	for range 2 {
		if f, found := w.Report(full); !found || f.Place != "/data/exchange" {
			t.Errorf("%+v, %v", f, found)
		}
	}
	if _, found := w.Report(context.Canceled); found || len(w.Faults()) != 1 || changes != 1 {
		t.Errorf("%v after %d changes", w.Faults(), changes)
	}
	w.Probe(t.Context())
	if len(w.Faults()) != 0 {
		t.Error("a place that can be written again should be forgotten")
	}
}

func TestOnlyWhatCouldNotBeWrittenIsRemembered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err        error
		remembered bool
	}{
		{&fs.PathError{Op: "open", Path: "/data/exchange/loadgen.env", Err: syscall.EACCES}, false},
		{&fs.PathError{Op: "read", Path: "/data/state/summary.json", Err: syscall.EIO}, false},
		{&fs.PathError{Op: "lstat", Path: "/data/exchange/urls.txt", Err: syscall.EACCES}, false},
		{&fs.PathError{Op: "open", Path: "/data/exchange/.urls.txt.1", Err: syscall.EACCES}, true},
		{&fs.PathError{Op: "open", Path: "/data/exchange/urls.txt", Err: syscall.EROFS}, true},
		{&fs.PathError{Op: "mkdir", Path: "/data/exchange", Err: syscall.EACCES}, true},
		{&fs.PathError{Op: "sync", Path: "/data/exchange/urls.txt", Err: syscall.EIO}, true},
		{&os.LinkError{Op: "rename", Old: "/a/.x.1", New: "/a/x", Err: syscall.EACCES}, true},
	} {
		w := disk.NewMonitor(slog.New(slog.DiscardHandler), func([]disk.Fault) {})
		if _, found := w.Report(c.err); !found || len(w.Faults()) > 0 != c.remembered {
			t.Errorf("%v: found %v, remembered %v", c.err, found, w.Faults())
		}
	}
}

func TestAProbeOfAFolderLeavesNothingAndFailsWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	if err := disk.FolderProbe(fsys, "/data/exchange")(t.Context()); err != nil {
		t.Error(err)
	}
	if left, err := afero.ReadDir(fsys, "/data/exchange"); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	if disk.FolderProbe(afero.NewReadOnlyFs(fsys), "/data/exchange")(t.Context()) == nil {
		t.Error("a read-only file system should fail the probe")
	}
}

func TestWhatIsNotAboutAFileIsNoFaultOfADisk(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, context.Canceled, os.NewSyscallError("connect", syscall.EACCES),
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}} {
		if f, found := disk.FromError(err); found {
			t.Errorf("%v is told as %+v", err, f)
		}
	}
	if f, _ := disk.FromError(&os.LinkError{Op: "rename", Old: "/a/.x.1", New: "/a/x",
		Err: syscall.EROFS}); f.Place != "/a/x" {
		t.Errorf("got %+v", f)
	}
}
