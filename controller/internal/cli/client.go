package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/secret"
)

// client calls the API of a running controller.
type client struct {
	host Host
	base string
	// public is the address that people open.
	public string
	key    secret.String
	http   *http.Client
}

// newClient parses the arguments of a command and finds the running controller.
func newClient(h Host, set *flag.FlagSet, args []string) (*client, error) {
	set.SetOutput(h.Stderr)
	base := set.String("api-base", "", "address of the controller (default: LISTEN_ADDR)")
	if set.Parse(args) != nil {
		return nil, exit(exitcode.BadConfig)
	}
	if set.NArg() > 0 {
		return nil, badUsage("%s [options]: unexpected argument %q", set.Name(), set.Arg(0))
	}
	s, err := h.settings()
	if err != nil {
		return nil, err
	}
	c := &client{host: h, base: strings.TrimSuffix(*base, "/"), key: s.APIKey, http: &http.Client{
		Timeout: time.Minute,
		// so that the key is sent nowhere else
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.public = c.base
	if c.base == "" {
		c.base = "http://" + dialAddress(s.ListenAddr, "127.0.0.1")
		c.public = cmp.Or(s.PublicURL, c.base)
	}
	if c.key == "" {
		c.key = generatedKey(h.FS, s)
	}
	return c, nil
}

// generatedKey returns the key that the first start has generated. Without one, the controller reports the problem.
func generatedKey(fsys afero.Fs, s settings.Settings) secret.String {
	key, err := security.ReadKey(fsys, s.APIKeyPath())
	if err != nil {
		return ""
	}
	return key
}

// dialAddress returns the address of a listener on this machine, with host if it listens on all interfaces.
func dialAddress(listener, host string) string {
	at, port, err := net.SplitHostPort(listener)
	if err != nil {
		return listener
	}
	if ip := net.ParseIP(at); at == "" || ip != nil && ip.IsUnspecified() {
		at = host
	}
	return net.JoinHostPort(strings.ToLower(at), port)
}

// call sends a request with a JSON body, or none, and returns the response if it is successful.
func (c *client) call(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call the controller: %w", err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set(security.KeyHeader, c.key.Reveal())
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call the controller: %w; is it running?", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	return nil, fmt.Errorf("call the controller: status %d: %s", resp.StatusCode, failureDetail(resp))
}

// failureDetail describes an unsuccessful response.
func failureDetail(resp *http.Response) string {
	var p struct {
		Detail string
		// Status is a number in a problem, and a word in the response of /health.
		Status any
		Errors []struct {
			Location, Message string
			Value             any
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p); err != nil {
		if to, err := resp.Location(); err == nil {
			return "it redirects to " + to.Redacted() + "; use that as --api-base"
		}
		return "the response is not from a controller; check --api-base"
	}
	var each []string // the detail repeats the first
	for _, e := range p.Errors {
		if value, ok := e.Value.(string); ok && value != "" {
			e.Location += "=" + strconv.Quote(value)
		}
		each = append(each, e.Location+": "+e.Message)
	}
	return cmp.Or(strings.Join(each, "\n  "), p.Detail, fmt.Sprintf("%v; see its log and GET /api/status", p.Status))
}

// ask decodes a JSON response.
func (c *client) ask(ctx context.Context, method, path string, body []byte, into any) error {
	resp, err := c.call(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(into); err != nil {
		return fmt.Errorf("read response of the controller: %w", err)
	}
	return nil
}

// download writes a response to a file, or to standard output if that is "-".
func (c *client) download(ctx context.Context, path, output string) error {
	resp, err := c.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	return c.host.write(output, resp.Body)
}

// poll requests a resource every second while it is in progress. into is the last response; state describes it with a
// line that is printed whenever news changes.
func (c *client) poll(ctx context.Context, path string, into any,
	state func() (news, line string, inProgress bool)) error {
	printed := ""
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		news, line, inProgress := state()
		if !inProgress {
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

// write writes a file that only its owner can read, completely or not at all; "-" is standard output.
func (h Host) write(path string, from io.Reader) error {
	if path == "-" {
		if _, err := io.Copy(h.Stdout, from); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
		return nil
	}
	f, err := afero.TempFile(h.FS, filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = h.FS.Rename(f.Name(), path)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("write file: %w", err)
	if gone := h.FS.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
