package store_test

import (
	"crypto/sha256"
	"maps"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

func TestSessionsAreKeptUntilTheirEnd(t *testing.T) {
	ctx, path, now := t.Context(), temp(t), noon
	s, err := store.Open(ctx, afero.NewOsFs(), path, key, func() time.Time { return now })
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	one, two, three := sha256.Sum256([]byte("1")), sha256.Sum256([]byte("2")), sha256.Sum256([]byte("3"))
	must(t, s.AddSession(ctx, one, noon.Add(time.Hour)))
	must(t, s.AddSession(ctx, two, noon.Add(time.Hour)))
	must(t, s.AddSession(ctx, three, noon.Add(time.Hour)))
	must(t, s.ExtendSession(ctx, one, noon.Add(3*time.Hour)))
	must(t, s.DeleteSession(ctx, two))
	must(t, s.ExtendSession(ctx, two, noon.Add(3*time.Hour))) // too late: it stays ended
	now = noon.Add(2 * time.Hour)
	got, err := s.Sessions(ctx)
	if want := map[[sha256.Size]byte]time.Time{one: noon.Add(3 * time.Hour)}; err != nil ||
		!maps.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNoNumberOfRefusalsDisplacesAChange(t *testing.T) {
	ctx, s := t.Context(), open(t, temp(t))
	must(
		t,
		s.AddAuditEntry(
			ctx,
			security.Entry{At: noon, Address: "127.0.0.1", Action: "PUT /api/config", Detail: "200 by key"},
		),
	)
	many := make([]security.Refusal, 10_050)
	for i := range many {
		many[i] = security.Refusal{First: noon, Last: noon.Add(time.Second), Address: "192.0.2.1",
			Action: "POST /api/session", Status: 403, Tries: i + 1}
	}
	must(t, s.SaveRefusals(ctx, many))
	refusals, err := s.Refusals(ctx, 20_000)
	if err != nil || len(refusals) != 10_000 || refusals[0] != many[10_049] {
		t.Errorf("%d refusals are kept, the latest %+v, %v", len(refusals), refusals[0], err)
	}
	if entries, err := s.AuditEntries(ctx, 10); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
