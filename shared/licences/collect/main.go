// Command collect writes THIRD_PARTY.txt: the licence texts of the Go modules that are really linked into the given
// programs, of Go itself, and of the interface's bundle where it was built. It fails where a module has no text, so
// that none is left out.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/afero"
)

func main() {
	output := flag.String("output", "", "file to write")
	bundle := flag.String("bundle", "",
		"texts of what is in the interface's bundle, as Vite writes them; none where there is no such file")
	tags := flag.String("tags", "", "build tags of the programs")
	flag.Parse()
	if *output == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: collect --output FILE [--bundle FILE] [--tags TAGS] PACKAGE...")
		os.Exit(2)
	}
	if err := write(afero.NewOsFs(), *output, *bundle, *tags, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(fsys afero.Fs, output, bundle, tags string, programs []string) error {
	parts, err := linked(tags, programs)
	if err != nil {
		return fmt.Errorf("find the linked modules: %w", err)
	}
	web, err := afero.ReadFile(fsys, bundle)
	if err != nil && bundle != "" && !os.IsNotExist(err) {
		return fmt.Errorf("read the texts of the bundle: %w", err)
	}
	text, err := document(fsys, parts, string(web))
	if err != nil {
		return err
	}
	if before, err := afero.ReadFile(fsys, output); err == nil && string(before) == text {
		return nil // its time stays, and with it what was built of it
	}
	if err := afero.WriteFile(fsys, output, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the texts: %w", err)
	}
	return nil
}
