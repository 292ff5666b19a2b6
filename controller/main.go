// Command controller will be the web interface. It owns its place in the workspace and knows nothing yet.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Stderr))
}

// run says that there is nothing to run yet; 2 is the exit code of a request that cannot be met.
func run(stderr io.Writer) int {
	_, _ = fmt.Fprintln(stderr, "controller: the web interface comes with a later version; use loadgen, see README.md")
	return 2
}
