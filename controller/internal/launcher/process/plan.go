package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// planFolder begins the names of the folders that plans are made in, with the settings and without tokens.
const planFolder = "trafficinator-plan-"

// sweepPlans removes the folders of plans whose controller was killed. Another one may be at work in those of the last
// hour.
func (p *Process) sweepPlans(now time.Time) {
	dirs, _ := afero.Glob(p.fs, filepath.Join(os.TempDir(), planFolder+"*")) // the pattern is a good one
	for _, dir := range dirs {
		if info, err := p.fs.Stat(dir); err == nil && info.IsDir() && now.Sub(info.ModTime()) > time.Hour {
			_ = p.fs.RemoveAll(dir) // another user's stays
		}
	}
}

// Plan implements launcher.Runtime.
func (p *Process) Plan(ctx context.Context, files map[string][]byte, args ...string) (printed launcher.Printed,
	err error) {
	if err := p.program(); err != nil {
		return printed, fmt.Errorf("%w: %w", launcher.ErrMissing, err)
	}
	dir, err := afero.TempDir(p.fs, "", planFolder)
	if err != nil {
		return printed, fmt.Errorf("make folder of the plan: %w", err)
	}
	defer func() { err = errors.Join(err, p.fs.RemoveAll(dir)) }()
	if err := exchange.Publish(p.fs, dir, files); err != nil {
		return printed, err
	}
	cmd := exec.CommandContext(ctx, p.c.Bin, append([]string{"plan"}, args...)...)
	cmd.Env = append(append([]string(nil), p.c.Env...), "EXCHANGE_DIR="+dir,
		"LOADGEN_ENV_FILE="+filepath.Join(dir, exchange.EnvFile), "STATE_DIR="+dir)
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = time.Second
	var out, said launcher.Output
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return printed, ctx.Err()
	case out.Full() || said.Full():
		return printed, launcher.ErrOutputTooLarge
	case err != nil && !errors.As(err, &exit):
		return printed, fmt.Errorf("run %s: %w", p.c.Bin, err)
	}
	printed.Out, printed.Code = out.Bytes(), cmd.ProcessState.ExitCode()
	printed.Said(said.Bytes(), dir)
	return printed, nil
}
