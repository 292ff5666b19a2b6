package doctor

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// A sink on this machine refuses connections of containers, because it listens on 127.0.0.1 unless configured
// otherwise.
func TestARefusalOfTheContainersHostSaysWhereToListen(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("dial tcp 172.17.0.1:8080: %w", syscall.ECONNREFUSED)
	for address, want := range map[string]string{
		"http://host.docker.internal:8080/matomo.php": "make it listen on all addresses",
		"http://matomo.example.test/matomo.php":       "start Matomo, or correct host and port",
	} {
		if f := unreachable(err, address); !strings.Contains(f[0].Cure, want) {
			t.Errorf("%s: %+v", address, f)
		}
	}
}
