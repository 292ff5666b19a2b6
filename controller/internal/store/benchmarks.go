package store

import (
	"context"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

const selectBenchmarks = "SELECT body, baseline FROM report_benchmarks "

func scanBenchmark(r row) (b timing.ReportBenchmark, err error) {
	err = r.Scan(asJSON{&b}, &b.Baseline)
	return b, err
}

// SaveBenchmark inserts an API benchmark that has ended. It is not a baseline.
func (s *Store) SaveBenchmark(ctx context.Context, b timing.ReportBenchmark) error {
	return s.exec(ctx, "save benchmark "+b.ID,
		"INSERT INTO report_benchmarks (id, url, site_id, began_at, body) VALUES (?, ?, ?, ?, ?)",
		b.ID, b.URL, b.SiteID, timestamp(b.Began), asJSON{b})
}

// Benchmarks returns all benchmarks, newest first.
func (s *Store) Benchmarks(ctx context.Context) ([]timing.ReportBenchmark, error) {
	return list(ctx, s, "list benchmarks", scanBenchmark, selectBenchmarks+"ORDER BY began_at DESC, id DESC")
}

// Benchmark returns one benchmark, or ErrNotFound.
func (s *Store) Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error) {
	return get(ctx, s, "read benchmark "+id, scanBenchmark, selectBenchmarks+"WHERE id = ?", id)
}

// Baseline returns the baseline of a site's benchmarks, or ErrNotFound.
func (s *Store) Baseline(ctx context.Context, url string, siteID int) (timing.ReportBenchmark, error) {
	return get(ctx, s, fmt.Sprintf("read baseline of site %d", siteID), scanBenchmark,
		selectBenchmarks+"WHERE baseline AND url = ? AND site_id = ?", url, siteID)
}

// MarkBaseline makes a benchmark the baseline of its site, replacing any other, or ends that.
func (s *Store) MarkBaseline(ctx context.Context, id string, marked bool) error {
	return s.tx(ctx, "mark benchmark "+id, func(t *tx) {
		t.exec(`UPDATE report_benchmarks SET baseline = 0 WHERE baseline AND (id = ?1
			OR ?2 AND (url, site_id) = (SELECT url, site_id FROM report_benchmarks WHERE id = ?1))`, id, marked)
		t.change("UPDATE report_benchmarks SET baseline = ? WHERE id = ?", marked, id)
	})
}

// DeleteBenchmark deletes one benchmark, or returns ErrNotFound.
func (s *Store) DeleteBenchmark(ctx context.Context, id string) error {
	return s.exec(ctx, "delete benchmark "+id, "DELETE FROM report_benchmarks WHERE id = ?", id)
}
