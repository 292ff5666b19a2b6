package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
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
	s, _, ok := h.read()
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
		c.base = "http://" + local(s.ListenAddr)
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

// local is how a program on this machine reaches a listener.
func local(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
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

func (c *caller) failed(err error) int {
	_, _ = fmt.Fprintln(c.host.Stderr, "error:", err)
	return Internal
}

// LoginLink prints a link that signs a browser in once.
func LoginLink(ctx context.Context, args []string, h Host) int {
	c, ok := newCaller(h, flag.NewFlagSet("login-link", flag.ContinueOnError), args)
	if !ok {
		return BadInput
	}
	resp, err := c.call(ctx, http.MethodPost, "/api/session/codes")
	if err != nil {
		return c.failed(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	var link struct {
		Code    string `json:"code"`
		Minutes int    `json:"valid_minutes"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&link); err != nil {
		return c.failed(fmt.Errorf("read link: %w", err))
	}
	_, _ = fmt.Fprintf(h.Stdout, "%s/#code=%s\n", c.public, link.Code)
	_, _ = fmt.Fprintf(h.Stderr, "It works once, within %d minutes.\n", link.Minutes)
	return OK
}

// ExportFunnels writes the enabled funnels as funnels.json (FEATURES CLI-02), to standard output unless told where.
func ExportFunnels(ctx context.Context, args []string, h Host) int {
	set := flag.NewFlagSet("export-funnels", flag.ContinueOnError)
	output := set.String("output", "-", "file to write; - is standard output")
	return download(ctx, h, set, args, output, "/api/funnels/export")
}

// Backup writes a consistent copy of the database of the running controller.
func Backup(ctx context.Context, args []string, h Host) int {
	set := flag.NewFlagSet("backup", flag.ContinueOnError)
	output := set.String("output", "", "file to write; - is standard output")
	return download(ctx, h, set, args, output, "/api/backup")
}

func download(ctx context.Context, h Host, set *flag.FlagSet, args []string, output *string, path string) int {
	c, ok := newCaller(h, set, args)
	if !ok {
		return BadInput
	}
	if *output == "" {
		_, _ = fmt.Fprintf(h.Stderr, "%s needs --output FILE\n", set.Name())
		return BadInput
	}
	resp, err := c.call(ctx, http.MethodGet, path)
	if err != nil {
		return c.failed(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if *output == "-" {
		if _, err := io.Copy(h.Stdout, resp.Body); err != nil {
			return c.failed(fmt.Errorf("read answer: %w", err))
		}
		return OK
	}
	if err := save(h.FS, *output, resp.Body); err != nil {
		return c.failed(err)
	}
	return OK
}

// save writes a file whole or not at all, readable for its owner alone.
func save(fsys afero.Fs, path string, from io.Reader) error {
	f, err := afero.TempFile(fsys, filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = fsys.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write file: %w", err), ignoreMissing(fsys.Remove(f.Name())))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// HealthCheck asks a running controller for its health.
func HealthCheck(ctx context.Context, h Host) int {
	c, ok := newCaller(h, flag.NewFlagSet("healthcheck", flag.ContinueOnError), nil)
	if !ok {
		return BadInput
	}
	c.client.Timeout = 5 * time.Second
	resp, err := c.call(ctx, http.MethodGet, "/health")
	if err != nil {
		return c.failed(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if _, err := io.Copy(h.Stdout, io.LimitReader(resp.Body, 4096)); err != nil {
		return c.failed(fmt.Errorf("read answer: %w", err))
	}
	return OK
}
