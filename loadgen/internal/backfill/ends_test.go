package backfill_test

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/endreason"
)

func TestABatchIsRetriedForFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "UTC", "2026-03-28", "2026-03-30", 400, later)
		r.shards = 1
		m := newMatomo()
		down := true
		m.answer = func(n int, hits []hit) answer.Answer {
			if down && n > 3 {
				return answer.Answer{Class: answer.NotNow, Status: 503}
			}
			return acceptAll(hits)
		}
		started := time.Now()
		why, message, p, s := r.run(context.Background(), m)
		took := time.Since(started)
		if why != endreason.NoTarget || !strings.Contains(message, "answered 503") || took < 4*time.Minute ||
			took > 5*time.Minute || s.Hits.Failed == 0 {
			t.Errorf("ended %s after %s: %s; %+v", why, took, message, s.Hits)
		}
		if tries := len(m.requests) - 3; tries < 10 || tries > 20 || p.BatchesDone != 3 || len(p.Unknown) > 0 {
			t.Errorf("%d tries, %d batches done, %d unknown", tries, p.BatchesDone, len(p.Unknown))
		}
		down = false
		why, _, p, s = r.run(context.Background(), m)
		if total := calendar.Total(r.days); why != endreason.BackfillFinished || s.Visits.Complete != total ||
			uint64(len(m.stored)) != total || p.BatchesDone != p.Batches {
			t.Errorf("the resumed job ended %s with %+v of %d visits", why, s.Visits, total)
		}
	})
}

func TestFiveRejectedBatchesInARowEndTheJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-30", 2000, later)
	r.shards, r.names = 1, []string{"a"}
	m := newMatomo()
	bad := true
	m.answer = func(n int, hits []hit) answer.Answer {
		if bad && n != 4 {
			return answer.Answer{Class: answer.Rejected, Status: 200, Receipt: answer.Receipt{Invalid: len(hits)}}
		}
		return acceptAll(hits)
	}
	why, message, p, s := r.run(context.Background(), m)
	if why != endreason.NoTarget ||
		!strings.Contains(
			message,
			"accepted nothing of 5 batches in a row: answered 200: all hits are invalid",
		) ||
		p.BatchesDone != 9 || s.Visits.Lost == 0 {
		t.Errorf("ended %s after %d batches: %s; %+v", why, p.BatchesDone, message, s.Visits)
	}
	bad = false // the token is valid now, and none of those hits was stored
	if why, _, _, s = r.run(context.Background(), m); why != endreason.BackfillFinished ||
		s.Visits.Complete != calendar.Total(r.days) || s.Visits.Lost > 0 {
		t.Errorf("the resumed job ended %s with %+v", why, s.Visits)
	}
}

func TestFiveUnreadableAnswersInARowEndTheJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-30", 2000, later)
	r.shards, r.names = 1, []string{"a"}
	m := newMatomo()
	m.answer = func(int, []hit) answer.Answer {
		return answer.Answer{Class: answer.Unreadable, Status: 200, Excerpt: "Just a moment..."}
	}
	why, message, p, _ := r.run(context.Background(), m)
	if why != endreason.NoTarget || !strings.Contains(message, "Just a moment...") || p.BatchesDone != 5 {
		t.Errorf("ended %s after %d batches: %s", why, p.BatchesDone, message)
	}
}

// disk is one that can fill up.
type disk struct {
	afero.Fs
	full atomic.Bool
}

func (d *disk) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := d.Fs.OpenFile(name, flag, perm)
	return &diskFile{f, d}, err
}

type diskFile struct {
	afero.File
	disk *disk
}

func (f *diskFile) Write(p []byte) (int, error) {
	if f.disk.full.Load() {
		return 0, syscall.ENOSPC
	}
	return f.File.Write(p)
}

func TestAJournalErrorAfterTheLastBatchIsReported(t *testing.T) {
	t.Parallel()
	d := &disk{Fs: afero.NewMemMapFs()}
	r := newRig(t, "UTC", "2026-03-28", "2026-03-28", 10, later)
	r.fs, r.names = d, []string{"a"}
	m := newMatomo()
	m.answer = func(_ int, hits []hit) answer.Answer {
		d.full.Store(true)
		return acceptAll(hits)
	}
	why, message, p, _ := r.run(context.Background(), m)
	if why != endreason.JournalFailed || !strings.Contains(message, "write journal") || p.BatchesDone != 1 ||
		p.Batches != 1 {
		t.Errorf("ended %s after %d batches of %d: %s", why, p.BatchesDone, p.Batches, message)
	}
}

func TestAStopLetsRequestsInFlightEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "UTC", "2026-03-28", "2026-03-30", 400, later)
		m := newMatomo()
		drain, stop := context.WithCancelCause(context.Background())
		m.answer = func(n int, hits []hit) answer.Answer {
			if n < 5 {
				return acceptAll(hits)
			}
			stop(endreason.Interrupted)
			if n == 5 {
				time.Sleep(6 * time.Second)
				return acceptAll(hits)
			}
			<-m.broken // the other one never answers
			return answer.Answer{Class: answer.Broken, Excerpt: "aborted"}
		}
		started := time.Now()
		why, _, p, s := r.run(drain, m)
		if took := time.Since(started); why != endreason.Interrupted || took > 7*time.Second {
			t.Errorf("ended %s after %s", why, took)
		}
		if s.Visits.Complete != uint64(len(m.stored)) || p.BatchesDone != uint64(len(m.requests)) ||
			len(p.Unknown) != len(m.requests)-5 {
			t.Errorf("%d requests, %d batches done, unknown %+v, %+v", len(m.requests), p.BatchesDone,
				p.Unknown, s.Visits)
		}
	})
}

func TestNothingIsSentUnlessTheLedgerIsStored(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-28", 100, later)
	m := newMatomo()
	r.keep = func() error { return syscall.ENOSPC }
	why, message, _, _ := r.run(context.Background(), m)
	if why != endreason.JournalFailed || !strings.Contains(message, "store the ledger: no space left on device") ||
		len(m.requests) > 0 {
		t.Errorf("ended %s after %d requests: %s", why, len(m.requests), message)
	}
	r.keep = func() error { return nil }
	if why, _, p, s := r.run(context.Background(), m); why != endreason.BackfillFinished ||
		s.Visits.Complete != calendar.Total(r.days) || len(p.Unknown) > 0 {
		t.Errorf("resumed, it ended %s with %+v, unknown %+v", why, s.Visits, p.Unknown)
	}
}
