// Package licences holds the licence texts of everything that the two programs and the interface are made of. The build
// collects them (command collect); a program that was compiled without that holds none.
package licences

import (
	"embed"
	"fmt"
	"io"
)

//go:embed all:text
var texts embed.FS

// Print writes the texts to w. It fails where the build has collected none.
func Print(w io.Writer) error {
	data, err := texts.ReadFile("text/THIRD_PARTY.txt")
	if err != nil {
		return fmt.Errorf("this program was built without the licence texts; build it with make")
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("print licences: %w", err)
	}
	return nil
}
