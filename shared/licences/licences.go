// Package licences contains the licence texts of everything in the programs and the interface, collected by the build.
package licences

import (
	"embed"
	"fmt"
	"io"
)

//go:embed all:text
var texts embed.FS

// Print writes the texts to w. It fails if the build collected none.
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
