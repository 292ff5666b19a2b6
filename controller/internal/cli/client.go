package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/secret"
)

// caller asks a running controller; its commands are clients like any other.
type caller struct {
	host Host
	base string
	// public is the address that people open.
	public string
	key    secret.String
	client *http.Client
}

// newCaller finds the running controller by the settings; args are those of the command.
func newCaller(h Host, set *flag.FlagSet, args []string) (*caller, bool) {
	set.SetOutput(h.Stderr)
	base := set.String("api-base", "", "address of the controller; LISTEN_ADDR unless given")
	if err := set.Parse(args); err != nil {
		return nil, false
	}
	if set.NArg() > 0 {
		_, _ = fmt.Fprintf(h.Stderr, "%s [options]: %q is one argument too many\n", set.Name(), set.Arg(0))
		return nil, false
	}
	s, ok := h.settings()
	if !ok {
		return nil, false
	}
	c := &caller{host: h, base: strings.TrimSuffix(*base, "/"), key: s.APIKey, client: &http.Client{
		Timeout: time.Minute,
		// the key goes nowhere else
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.public = c.base
	if c.base == "" {
		c.base = "http://" + reach(s.ListenAddr, "127.0.0.1")
		c.public = cmp.Or(s.PublicURL, c.base)
	}
	if c.key == "" {
		c.key = madeKey(h.FS, s)
	}
	return c, true
}

// madeKey is the key that the first start has made, nothing where there was none: the controller then says so.
func madeKey(fsys afero.Fs, s settings.Settings) secret.String {
	key, err := security.ReadKey(fsys, s.APIKeyPath())
	if err != nil {
		return ""
	}
	return key
}

// reach is the address of a listener as seen from this machine: one that listens everywhere is asked at host.
func reach(listener, host string) string {
	at, port, err := net.SplitHostPort(listener)
	if err != nil {
		return listener
	}
	if ip := net.ParseIP(at); at == "" || ip != nil && ip.IsUnspecified() {
		at = host
	}
	return net.JoinHostPort(strings.ToLower(at), port)
}

func (c *caller) call(ctx context.Context, method, path string) (*http.Response, error) {
	return c.send(ctx, method, path, http.NoBody)
}

func (c *caller) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the controller: %w", err)
	}
	if req.ContentLength > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set(security.KeyHeader, c.key.Reveal())
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the controller: %w; is it running?", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	var p struct {
		Detail string
		// Status is a number in a problem, and how it is in the answer of /health.
		Status any
		Errors []struct {
			Location, Message string
			Value             any
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p); err != nil {
		p.Detail = "it is something else than a controller"
		if to, err := resp.Location(); err == nil {
			p.Detail = "it leads to " + to.Redacted() + "; give that by --api-base"
		}
	}
	if p.Detail == "" {
		p.Detail = fmt.Sprintf("%v; its log and GET /api/status tell why", p.Status)
	}
	var each []string // of which the detail repeats the first
	for _, e := range p.Errors {
		if value, ok := e.Value.(string); ok && value != "" {
			e.Location += "=" + strconv.Quote(value)
		}
		each = append(each, e.Location+": "+e.Message)
	}
	if len(each) > 0 {
		p.Detail = strings.Join(each, "\n  ")
	}
	return nil, fmt.Errorf("ask the controller: it answers %d: %s", resp.StatusCode, p.Detail)
}

// ask reads an answer as JSON; body is JSON or nil.
func (c *caller) ask(ctx context.Context, method, path string, body []byte, into any) error {
	resp, err := c.send(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(into); err != nil {
		return fmt.Errorf("read answer of the controller: %w", err)
	}
	return nil
}

// follow asks each second for what goes on, until it has ended. into is what was answered last. state says of that
// whether it goes on, and has a line to print whenever its news change.
func (c *caller) follow(ctx context.Context, path string, into any,
	state func() (news, line string, going bool)) error {
	printed := ""
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		news, line, going := state()
		if !going {
			return nil
		}
		if news != printed {
			printed = news
			_, _ = fmt.Fprintln(c.host.Stderr, line)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := c.ask(ctx, http.MethodGet, path, nil, into); err != nil {
			return err
		}
	}
}
