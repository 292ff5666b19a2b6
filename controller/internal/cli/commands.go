package cli

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/original"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// exportFunnels writes the enabled funnels as funnels.json.
func exportFunnels(ctx context.Context, args []string, h Host) error {
	return saveResponse(ctx, args, h, "export-funnels", "-", "/api/funnels/export")
}

// backup writes a consistent copy of the database of the running controller.
func backup(ctx context.Context, args []string, h Host) error {
	return saveResponse(ctx, args, h, "backup", "", "/api/backup")
}

func saveResponse(ctx context.Context, args []string, h Host, name, output, path string) error {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.StringVar(&output, "output", output, "file to write; - is standard output")
	c, err := newClient(h, set, args)
	if err != nil {
		return err
	}
	if output == "" {
		return badUsage("%s needs --output FILE", name)
	}
	return c.download(ctx, path, output)
}

// healthCheck checks the health of a running controller.
func healthCheck(ctx context.Context, _ []string, h Host) error {
	c, err := newClient(h, flag.NewFlagSet("healthcheck", flag.ContinueOnError), nil)
	if err != nil {
		return err
	}
	c.http.Timeout = 5 * time.Second
	return c.download(ctx, "/health", "-")
}

// loginLink prints a one-time sign-in link.
func loginLink(ctx context.Context, args []string, h Host) error {
	c, err := newClient(h, flag.NewFlagSet("login-link", flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	var link struct {
		Code    string `json:"code"`
		Minutes int    `json:"valid_minutes"`
	}
	if err := c.ask(ctx, http.MethodPost, "/api/session/codes", nil, &link); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(h.Stdout, "%s/#code=%s\n", c.public, link.Code)
	_, _ = fmt.Fprintf(h.Stderr, "It works once, within %d minutes.\n", link.Minutes)
	return nil
}

// importOriginal saves the presets and funnels of the original's database with the API of the running controller, and
// prints for each what was left out or why it was rejected.
func importOriginal(ctx context.Context, args []string, h Host) error {
	set := flag.NewFlagSet("import-original", flag.ContinueOnError)
	path := set.String("db", "", "the original's presets.db, which is not changed")
	c, err := newClient(h, set, args)
	if err != nil {
		return err
	}
	if *path == "" {
		return badUsage("import-original needs --db FILE")
	}
	entries, err := original.Read(ctx, h.FS, *path)
	if err != nil {
		return badUsage("error: %v", err)
	}
	err = nil
	for _, e := range entries {
		var saved struct {
			LeftOut []string `json:"left_out"`
		}
		if rejected := c.ask(ctx, http.MethodPost, "/api/"+e.Kind+"s", e.Body, &saved); rejected != nil {
			_, _ = fmt.Fprintf(h.Stderr, "%s %q: %v\n", e.Kind, e.Name, rejected)
			err = exit(exitcode.Internal)
			continue
		}
		text := "saved"
		if left := slices.Concat(e.LeftOut, saved.LeftOut); len(left) > 0 {
			text += "; left out: " + strings.Join(left, ", ")
		}
		_, _ = fmt.Fprintf(h.Stdout, "%s %q: %s\n", e.Kind, e.Name, text)
	}
	return err
}
