package process

import (
	"slices"
	"strings"
)

// passed are the variables that a child gets from the controller, among them how this machine reaches others: what the
// controller's own questions can reach, the loadgen can. The settings come by file, and the controller's own key must
// not come at all.
var passed = []string{
	"PATH", "HOME", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// Environment is the part of the controller's environment that a child gets, as KEY=value.
func Environment(environ map[string]string) []string {
	var out []string
	for key, v := range environ {
		if slices.Contains(passed, key) {
			out = append(out, key+"="+v)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
