package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/spf13/afero"
)

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
		return exitcode.BadConfig
	}
	if *output == "" {
		return h.refuse("%s needs --output FILE", set.Name())
	}
	resp, err := c.call(ctx, http.MethodGet, path)
	if err != nil {
		return c.host.fail(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if *output == "-" {
		if _, err := io.Copy(h.Stdout, resp.Body); err != nil {
			return c.host.fail(fmt.Errorf("read answer: %w", err))
		}
		return exitcode.OK
	}
	if err := save(h.FS, *output, resp.Body); err != nil {
		return c.host.fail(err)
	}
	return exitcode.OK
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
