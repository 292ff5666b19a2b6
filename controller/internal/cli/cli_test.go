package cli_test

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/cli"
)

func TestCommandsThatCannotBeMetSayWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		{[]string{"fly"}, nil, 2, `unknown command "fly"`},
		{[]string{"serve", "now"}, nil, 2, "no arguments"},
		{[]string{"serve"}, map[string]string{"LISTEN_ADDR": "8000", "CONTROL_UI_API_KEY": "short"}, 2, "LISTEN_ADDR"},
		{[]string{"serve"}, map[string]string{"LISTEN_ADDR": "8000", "ALOWED_HOSTS": "a.test"}, 2,
			"ALOWED_HOSTS: is not a known setting and has no effect; did you mean ALLOWED_HOSTS?"},
		{[]string{"serve"}, map[string]string{"LISTEN_ADDR": "8000", "CONTROL_UI_API_KEY": "short"}, 2,
			"CONTROL_UI_API_KEY"},
		{[]string{"backup"}, nil, 2, "--output"},
		{[]string{"login-link"}, map[string]string{"LISTEN_ADDR": "127.0.0.1:1"}, 1, "is it running?"},
		{[]string{"healthcheck"}, map[string]string{"LISTEN_ADDR": "127.0.0.1:1"}, 1, "is it running?"},
		{[]string{"help"}, nil, 0, "export-funnels"},
		{[]string{"help"}, nil, 0, "licences"},
		{[]string{"version"}, nil, 0, "dev"},
	} {
		var out bytes.Buffer
		code := cli.Run(context.Background(), c.args, cli.Host{Host: app.Host{Env: c.env, FS: afero.NewMemMapFs(),
			Bundle: fs.FS(fstest.MapFS{}), Version: "dev"}, Stdout: &out, Stderr: &out})
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: code %d and %q; want %d with %q", c.args, code, out.String(), c.code, c.want)
		}
	}
}

// Made by make, it holds the texts; compiled otherwise, it says how to get them.
func TestLicencesAreThoseOfWhatIsLinked(t *testing.T) {
	var out, err bytes.Buffer
	code := cli.Run(context.Background(), []string{"licences"}, cli.Host{Stdout: &out, Stderr: &err})
	switch {
	case code == 0 && strings.Contains(out.String(), "github.com/labstack/echo/v4 v") &&
		strings.Contains(out.String(), "Copyright (c) 2021 LabStack"):
	case code == 1 && strings.Contains(err.String(), "make"):
	default:
		t.Errorf("code %d, %q, %.200q", code, err.String(), out.String())
	}
}
