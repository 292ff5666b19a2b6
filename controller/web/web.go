// Package web holds the built user interface, where it was built. It knows nothing of how it is served.
package web

import "embed"

// Dist is the folder of the bundle; without a build it holds a .gitkeep alone.
//
//go:embed all:dist
var Dist embed.FS
