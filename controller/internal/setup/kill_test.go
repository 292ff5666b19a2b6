package setup_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
)

const writerDir = "TEST_WRITER_DIR"

// TestMain is the test, or the program that the test kills.
func TestMain(m *testing.M) {
	dir := os.Getenv(writerDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	seed, err := strconv.ParseUint(os.Getenv("TEST_WRITER_SEED"), 10, 64)
	if err == nil {
		err = write(context.Background(), dir, rand.New(rand.NewPCG(seed, 1)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const writes = 200

// write makes random changes and says each one when it is done.
func write(ctx context.Context, dir string, rng *rand.Rand) error {
	b, err := open(ctx, dir)
	if err != nil {
		return err
	}
	kinds := []struct {
		name string
		do   func(ctx context.Context, i int) error
	}{
		{"config", func(ctx context.Context, i int) error {
			_, err := b.MergeConfig(ctx,
				map[string]any{"MATOMO_URL": url, "TARGET_VISITS_PER_DAY": float64(i + 1)}, 0)
			return err
		}},
		{"urls", func(ctx context.Context, i int) error {
			_, err := b.SaveURLs(ctx, []byte(strings.Repeat(fmt.Sprintf("https://a.test/%d\n", i), 500)))
			return err
		}},
		{"events", func(ctx context.Context, i int) error {
			_, err := b.SaveEvents(ctx,
				fmt.Appendf(nil, `{"click_events":[{"category":"c","action":"a","name":"%d"}]}`, i))
			return err
		}},
		{"funnel", func(ctx context.Context, i int) error {
			_, err := b.CreateFunnel(ctx,
				fmt.Appendf(nil,
					`{"name":"%d","probability":0.1,"steps":[{"type":"pageview","url":"https://a.test/"}]}`, i))
			return err
		}},
		{"target", func(ctx context.Context, i int) error {
			_, err := b.CreateTarget(ctx,
				fmt.Appendf(nil, `{"name":"%d","url":"https://a.test/","site_id":1,"token_auth":"%s"}`, i, token))
			return err
		}},
	}
	for i := range writes {
		k := kinds[rng.IntN(len(kinds))]
		if err := k.do(ctx, i); err != nil {
			return fmt.Errorf("%s %d: %w", k.name, i, err)
		}
		fmt.Println(k.name, i)
	}
	return b.store.Close()
}

// run has a child write into dir and kills it after some acknowledged changes, whatever it is doing then.
func run(t *testing.T, dir string, seed uint64, kill int, delay time.Duration) (acknowledged []string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), writerDir+"="+dir, fmt.Sprintf("TEST_WRITER_SEED=%d", seed))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		acknowledged = append(acknowledged, lines.Text())
		if len(acknowledged) == kill {
			<-time.After(delay) // any moment of the write that goes on
			must(t, c.Process.Kill())
		}
	}
	if err := c.Wait(); err == nil {
		t.Fatal("the writer ended before it was killed")
	}
	return acknowledged
}

func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 2
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		dir := t.TempDir()
		acknowledged := run(t, dir, uint64(round), 1+rng.IntN(writes/2), time.Duration(rng.IntN(8000))*time.Microsecond)
		b, err := open(t.Context(), dir)
		must(t, err)
		check(t, b, acknowledged)
		if files, err := b.Conflicts(t.Context()); err != nil || len(files) > 0 {
			t.Errorf("after the kill %v counts as edited by hand, %v", files, err)
		}
		must(t, b.Publish(t.Context()))
		must(t, b.store.Close())
	}
}

// check looks for every acknowledged change, and reads every file.
func check(t *testing.T, b bench, acknowledged []string) {
	t.Helper()
	funnels, targets, last := map[string]bool{}, map[string]bool{}, map[string]int{}
	list, err := b.Funnels(t.Context())
	must(t, err)
	for _, f := range list {
		funnels[f.Name] = true
	}
	many, _, err := b.Targets(t.Context())
	must(t, err)
	for _, m := range many {
		targets[m.Name] = m.Token == token
	}
	for _, line := range acknowledged {
		kind, number, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		must(t, err)
		last[kind] = n
		if kind == "funnel" && !funnels[number] || kind == "target" && !targets[number] {
			t.Errorf("%s is lost", line)
		}
	}
	// Of what is overwritten the last change counts, or one that was not acknowledged any more.
	if c, err := b.Config(t.Context()); err != nil || last["config"] > 0 &&
		c.Values["TARGET_VISITS_PER_DAY"].(float64) < float64(last["config"]+1) {
		t.Errorf("config %d is lost: %v, %v", last["config"], c.Values["TARGET_VISITS_PER_DAY"], err)
	}
	newest := func(kind, text string) {
		for i := last[kind]; i < writes; i++ {
			if strings.Contains(text, fmt.Sprintf(`/%d`+"\n", i)) ||
				strings.Contains(text, fmt.Sprintf(`%q`, strconv.Itoa(i))) {
				return
			}
		}
		if _, any := last[kind]; any {
			t.Errorf("%s %d is lost", kind, last[kind])
		}
	}
	pages := string(b.file(t, exchange.URLsFile))
	newest("urls", pages)
	// A part of it would be a good list too, so its length is counted.
	if first, _, _ := strings.Cut(pages, "\n"); pages != strings.Repeat(first+"\n", 500) && pages != "" {
		t.Errorf("urls.txt is not whole: %d bytes that begin with %s", len(pages), first)
	}
	if n, any := last["funnel"]; any &&
		!strings.Contains(string(b.file(t, exchange.FunnelsFile)), fmt.Sprintf(`"name": "%d"`, n)) {
		t.Errorf("funnel %d was acknowledged and not published", n)
	}
	newest("events", string(b.file(t, exchange.EventsFile)))
	for file, read := range map[string]func([]byte) problem.List{
		exchange.EnvFile:     func(d []byte) problem.List { _, p := exchange.ParseEnv("", d); return p },
		exchange.URLsFile:    func(d []byte) problem.List { _, p := urllist.Parse("", bytes.NewReader(d)); return p },
		exchange.EventsFile:  func(d []byte) problem.List { _, p := eventset.Decode("", d); return p },
		exchange.FunnelsFile: func(d []byte) problem.List { _, p := funnel.Decode("", d); return p },
		exchange.TargetsFile: func(d []byte) problem.List { _, p := target.Decode("", d); return p },
	} {
		if data := b.file(t, file); data != nil && read(data).Err() != nil {
			t.Errorf("%s is not whole: %v", file, read(data))
		}
	}
}
