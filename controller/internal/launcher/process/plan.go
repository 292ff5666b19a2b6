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

// planFolder is the prefix of the folders of plans, which contain settings but no tokens.
const planFolder = "trafficinator-plan-"

// removeOldPlans removes the plan folders that a killed controller left. Those of the last hour may be in use by
// another controller.
func (p *Process) removeOldPlans(now time.Time) {
	dirs, _ := afero.Glob(p.fs, filepath.Join(os.TempDir(), planFolder+"*")) // the pattern is valid
	for _, dir := range dirs {
		if info, err := p.fs.Stat(dir); err == nil && info.IsDir() && now.Sub(info.ModTime()) > time.Hour {
			_ = p.fs.RemoveAll(dir) // another user's stays
		}
	}
}

// Plan implements launcher.Runtime.
func (p *Process) Plan(ctx context.Context, files map[string][]byte, args ...string) (out launcher.Output, err error) {
	if err := p.checkProgram(); err != nil {
		return out, err
	}
	dir, err := afero.TempDir(p.fs, "", planFolder)
	if err != nil {
		return out, fmt.Errorf("create the folder of the plan: %w", err)
	}
	defer func() { err = errors.Join(err, p.fs.RemoveAll(dir)) }()
	if err := exchange.Publish(p.fs, dir, files); err != nil {
		return out, err
	}
	cmd := p.command(ctx, launcher.Environ(dir, dir), append([]string{"plan"}, args...)...)
	var w launcher.OutputWriter
	cmd.Stdout, cmd.Stderr = &w.Stdout, &w.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return out, ctx.Err()
	case w.Overflowed():
		return out, launcher.ErrOutputTooLarge
	case err != nil && !errors.As(err, &exit):
		return out, fmt.Errorf("run %s: %w", p.c.Bin, err)
	}
	return w.Output(cmd.ProcessState.ExitCode(), dir), nil
}
