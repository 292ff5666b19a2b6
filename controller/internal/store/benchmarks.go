package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

type benchmarkRow struct {
	ID       string `db:"id"`
	Baseline bool   `db:"baseline"`
	Body     string `db:"body"`
}

func (r benchmarkRow) benchmark() (b timing.ReportBenchmark, err error) {
	if err := json.Unmarshal([]byte(r.Body), &b); err != nil {
		return b, fmt.Errorf("read benchmark %s: %w", r.ID, err)
	}
	b.Baseline = r.Baseline
	return b, nil
}

const selectBenchmarks = "SELECT id, baseline, body FROM report_benchmarks "

// SaveBenchmark writes a benchmark of reports that has ended. It is nobody's baseline.
func (s *Store) SaveBenchmark(ctx context.Context, b timing.ReportBenchmark) error {
	body, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode benchmark %s: %w", b.ID, err)
	}
	if err := s.one(ctx, "INSERT INTO report_benchmarks (id, url, site_id, began_at, body) VALUES (?, ?, ?, ?, ?)",
		b.ID, b.URL, b.SiteID, stamp{b.Began}, string(body)); err != nil {
		return fmt.Errorf("save benchmark %s: %w", b.ID, err)
	}
	return nil
}

// Benchmarks are all, the latest first.
func (s *Store) Benchmarks(ctx context.Context) ([]timing.ReportBenchmark, error) {
	var rows []benchmarkRow
	if err := s.read.SelectContext(ctx, &rows, selectBenchmarks+"ORDER BY began_at DESC, id DESC"); err != nil {
		return nil, fmt.Errorf("list benchmarks: %w", err)
	}
	out := make([]timing.ReportBenchmark, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.benchmark(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Benchmark is one, or ErrNotFound.
func (s *Store) Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error) {
	var r benchmarkRow
	if err := s.read.GetContext(ctx, &r, selectBenchmarks+"WHERE id = ?", id); err != nil {
		return timing.ReportBenchmark{}, fmt.Errorf("read benchmark %s: %w", id, told(err))
	}
	return r.benchmark()
}

// Baseline is what a site's benchmarks are compared with, or ErrNotFound.
func (s *Store) Baseline(ctx context.Context, url string, siteID int) (timing.ReportBenchmark, error) {
	var r benchmarkRow
	if err := s.read.GetContext(ctx, &r, selectBenchmarks+"WHERE baseline AND url = ? AND site_id = ?", url,
		siteID); err != nil {
		return timing.ReportBenchmark{}, fmt.Errorf("read baseline of site %d: %w", siteID, told(err))
	}
	return r.benchmark()
}

// MarkBaseline makes a benchmark its site's baseline in place of what was, or no longer.
func (s *Store) MarkBaseline(ctx context.Context, id string, marked bool) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE report_benchmarks SET baseline = 0 WHERE baseline AND (id = ?1
			OR ?2 AND (url, site_id) = (SELECT url, site_id FROM report_benchmarks WHERE id = ?1))`, id, marked); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, "UPDATE report_benchmarks SET baseline = ? WHERE id = ?", marked, id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return ErrNotFound
	})
	if err != nil {
		return fmt.Errorf("mark benchmark %s: %w", id, err)
	}
	return nil
}

// DeleteBenchmark removes one, or says ErrNotFound.
func (s *Store) DeleteBenchmark(ctx context.Context, id string) error {
	if err := s.one(ctx, "DELETE FROM report_benchmarks WHERE id = ?", id); err != nil {
		return fmt.Errorf("delete benchmark %s: %w", id, err)
	}
	return nil
}
