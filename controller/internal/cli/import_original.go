package cli

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/original"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// ImportOriginal saves the presets and funnels of the original's database at the running controller, by the rules of
// its API, and says of each what it left out or why it was refused.
func ImportOriginal(ctx context.Context, args []string, h Host) int {
	set := flag.NewFlagSet("import-original", flag.ContinueOnError)
	path := set.String("db", "", "the original's presets.db; it is only read")
	c, ok := newCaller(h, set, args)
	if !ok {
		return exitcode.BadConfig
	}
	if *path == "" {
		return h.refuse("import-original needs --db FILE")
	}
	entries, err := original.Read(ctx, h.FS, *path)
	if err != nil {
		_, _ = fmt.Fprintln(h.Stderr, "error:", err)
		return exitcode.BadConfig
	}
	code := exitcode.OK
	for _, e := range entries {
		left, err := c.save(ctx, e)
		if err != nil {
			_, _ = fmt.Fprintf(h.Stderr, "%s %q: %v\n", e.Kind, e.Name, err)
			code = exitcode.Internal
			continue
		}
		text := "saved"
		if len(left) > 0 {
			text += "; left out: " + strings.Join(left, ", ")
		}
		_, _ = fmt.Fprintf(h.Stdout, "%s %q: %s\n", e.Kind, e.Name, text)
	}
	return code
}

// save posts e, and names what was left out of it.
func (c *caller) save(ctx context.Context, e original.Entry) ([]string, error) {
	var saved struct {
		LeftOut []string `json:"left_out"`
	}
	if err := c.ask(ctx, http.MethodPost, "/api/"+e.Kind+"s", e.Body, &saved); err != nil {
		return nil, err
	}
	return slices.Concat(e.LeftOut, saved.LeftOut), nil
}
