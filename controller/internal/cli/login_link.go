package cli

import (
	"context"
	"flag"
	"fmt"
	"net/http"

	"github.com/puttrix/trafficinator/shared/exitcode"
)

// LoginLink prints a link that signs a browser in once.
func LoginLink(ctx context.Context, args []string, h Host) int {
	c, ok := newCaller(h, flag.NewFlagSet("login-link", flag.ContinueOnError), args)
	if !ok {
		return exitcode.BadConfig
	}
	var link struct {
		Code    string `json:"code"`
		Minutes int    `json:"valid_minutes"`
	}
	if err := c.ask(ctx, http.MethodPost, "/api/session/codes", nil, &link); err != nil {
		return h.fail(err)
	}
	_, _ = fmt.Fprintf(h.Stdout, "%s/#code=%s\n", c.public, link.Code)
	_, _ = fmt.Fprintf(h.Stderr, "It works once, within %d minutes.\n", link.Minutes)
	return exitcode.OK
}
