package endtoend

import (
	"flag"
	"os"
	"testing"
)

// The tests wait for programs and containers most of the time: more of them run in parallel than there are cores.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err) // the flag is a standard one
	}
	os.Exit(m.Run())
}
