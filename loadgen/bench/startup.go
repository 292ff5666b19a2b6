package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/afero"
)

const (
	// oldLedgers of oldSize bytes each are a gigabyte, as many as 37 years of nightly runs with 25 targets leave.
	oldLedgers, oldSize = 13_446, 80_000
	startRounds         = 5
)

var runStarted = regexp.MustCompile(`time=(\S+) level=INFO msg="run started"`)

// startup measures how long a start takes with the ledgers of ended runs in the state folder.
func (b *bench) startup(ctx context.Context) (string, error) {
	dir := filepath.Join(b.folder, "state")
	rows := [][]string{{"state folder", "until the run starts"}}
	for _, c := range []struct {
		name    string
		prepare func(dir string) error
		rounds  int
	}{
		{"empty", b.fs.RemoveAll, startRounds},
		{"1 GiB of ledgers as an earlier version left them", b.writeOldLedgers, 1},
		{"the same, from the second start on", func(string) error { return nil }, startRounds},
	} {
		if err := c.prepare(dir); err != nil {
			return "", fmt.Errorf("prepare the state folder: %w", err)
		}
		var took []time.Duration
		for range c.rounds {
			d, err := b.timeToStart(ctx, dir)
			if err != nil {
				return "", err
			}
			took = append(took, d)
		}
		slices.Sort(took)
		rows = append(rows, []string{c.name, took[len(took)/2].Round(time.Millisecond).String()})
	}
	return markdownTable(rows), nil
}

func (b *bench) writeOldLedgers(dir string) error {
	if err := b.fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ledger := []byte(`{"run_id":"old","ended":"2026-01-01T00:00:00Z","reason":"auto_stop"}`)
	ledger = append(ledger, bytes.Repeat([]byte{' '}, oldSize-len(ledger))...)
	for i := range oldLedgers {
		if err := afero.WriteFile(b.fs, filepath.Join(dir, fmt.Sprintf("old-%d.json", i)), ledger, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// timeToStart returns the time from the start of the process to the log line of the run's start.
func (b *bench) timeToStart(ctx context.Context, dir string) (time.Duration, error) {
	began := time.Now()
	p, err := start(ctx, senderCore, command{path: b.loadgen, env: []string{
		"MATOMO_URL=http://127.0.0.1:1/matomo.php", "STATE_DIR=" + dir, "STOP_AFTER_VISITS=1", "TELEMETRY_ADDR=off",
		"REQUEST_TIMEOUT=1",
	}})
	if err != nil {
		return 0, err
	}
	logged, err := p.waitForOutput(ctx, runStarted)
	if err != nil {
		return 0, err
	}
	<-p.ended // with exit code 3, because nothing listens on that port
	at, err := time.Parse(time.RFC3339Nano, logged)
	if err != nil {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	return at.Sub(began), nil
}
