// Command controller keeps configuration, files and life of a load generator for Matomo, behind one API.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // the image has no zones of its own

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/controller/web"
)

// version is set by the build.
var version = "dev"

func main() {
	// Who reads our output may be gone before us. A server goes on; a list, as in `runs list | head`, need not.
	if len(os.Args) < 2 || os.Args[1] == "serve" {
		signal.Ignore(syscall.SIGPIPE)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := map[string]string{}
	for _, pair := range os.Environ() {
		if key, v, ok := strings.Cut(pair, "="); ok {
			env[key] = v
		}
	}
	hostname, _ := os.Hostname() // without one there is no container to share networks with
	bundle, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Host{Host: app.Host{
		Env: env, FS: afero.NewOsFs(), Bundle: bundle, Version: version,
		Hostname: hostname, User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()),
	}, Stdout: os.Stdout, Stderr: os.Stderr}))
}
