// Command demo runs the loadgen against the built-in sink on this machine and holds what the one says it sent
// against what the other counted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

// token is known to the sink of this process alone.
const token = "0123456789abcdef0123456789abcdef"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	good, err := demo(ctx, os.Getenv("DEMO_SECONDS"), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
	if !good {
		os.Exit(1)
	}
}

func demo(ctx context.Context, seconds string, out io.Writer) (good bool, err error) {
	hours := 0.0
	if seconds != "" {
		n, err := strconv.ParseFloat(seconds, 64)
		if err != nil || n <= 0 || n > 86400 {
			return false, fmt.Errorf("DEMO_SECONDS=%q is not a number of seconds between 0 and 86400", seconds)
		}
		hours = n / 3600
	}
	dir, err := os.MkdirTemp("", "trafficinator-demo-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	s := sink.New(sink.Config{Tokens: map[string][]int{token: {1}}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return false, fmt.Errorf("open sink: %w", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	address := "http://" + listener.Addr().String()
	_, _ = fmt.Fprintf(out, "a sink that counts like Matomo listens at %s\nten visits a second go there; %s\n", address, ending(seconds))

	summaryFile := filepath.Join(dir, "summary.json")
	ran := make(chan error, 1)
	child := loadgen(ctx, []string{
		"MATOMO_URL=" + address + "/matomo.php", "MATOMO_TOKEN_AUTH=" + token, "TARGET_VISITS_PER_DAY=864000",
		"BOUNCE_PROBABILITY=0.2", "AUTO_STOP_AFTER_HOURS=" + strconv.FormatFloat(hours, 'f', -1, 64),
		"LOG_LEVEL=ERROR", "TELEMETRY_ADDR=off", "STATE_DIR=" + dir, "SUMMARY_FILE=" + summaryFile,
	})
	go func() { ran <- child.Run() }()
	code, err := watch(ran, s, out)
	err = errors.Join(err, server.Close())
	err = errors.Join(err, closed(<-served))
	if err != nil {
		return false, err
	}
	if code != 0 && (code != 130 || ctx.Err() == nil) {
		return false, fmt.Errorf("the loadgen ended with exit code %d", code)
	}
	data, err := os.ReadFile(summaryFile)
	if err != nil {
		return false, fmt.Errorf("read summary: %w", err)
	}
	var summary ledger.Summary
	if err := json.Unmarshal(data, &summary); err != nil {
		return false, fmt.Errorf("read summary: %w", err)
	}
	return compare(out, &summary, s), nil
}

// closed drops the error that a server gives when it is closed on purpose.
func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func ending(seconds string) string {
	if seconds == "" {
		return "Ctrl-C ends it"
	}
	return "it ends by itself after " + seconds + " s and the open visits"
}

func loadgen(ctx context.Context, env []string) *exec.Cmd {
	child := exec.CommandContext(ctx, "bin/loadgen", "run")
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	// A group of its own: Ctrl-C reaches it once, through us.
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	child.Env = env
	child.Stderr = os.Stderr
	return child
}

// watch prints a line of counts until the loadgen has ended, and tells its exit code.
func watch(ran <-chan error, s *sink.Sink, out io.Writer) (int, error) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c := s.Counts()
			_, _ = fmt.Fprintf(out, "the sink has recorded %d visits, %d actions, %d orders\n", c.Total.Visits, c.Total.Actions, c.Total.Hits["order"])
		case err := <-ran:
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit):
				return exit.ExitCode(), nil
			case err != nil && !errors.Is(err, context.Canceled):
				return 0, fmt.Errorf("run loadgen: %w", err)
			}
			return 0, nil
		}
	}
}

// compare prints the ledger beside the sink's counts and tells whether they are equal.
func compare(out io.Writer, summary *ledger.Summary, s *sink.Sink) bool {
	counts := s.Counts()
	equal := true
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, sent, recorded int64) {
		verdict := "equal"
		if sent != recorded {
			verdict, equal = fmt.Sprintf("%+d", recorded-sent), false
		}
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%s\t\n", name, sent, recorded, verdict)
	}
	_, _ = fmt.Fprintf(out, "\nwhat the ledger says was accepted, against what the sink recorded:\n")
	_, _ = fmt.Fprintln(t, "\tsent\trecorded\t\t")
	row("visits", int64(summary.Visits.Complete+summary.Visits.Partial+summary.Visits.Split), counts.Total.Visits)
	for _, kind := range []string{"pageview", "search", "event", "outlink", "download", "order", "ping"} {
		row(kind, int64(summary.ByKind[kind].Accepted), counts.Total.Hits[kind])
	}
	row("cents of revenue", int64(summary.Revenue*100+0.5), counts.Total.Revenue)
	_ = t.Flush() // a terminal that is gone cannot be told
	for _, v := range s.Violations() {
		equal = false
		_, _ = fmt.Fprintf(out, "the sink objects: %+v\n", v)
	}
	return equal
}
