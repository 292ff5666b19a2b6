// Package containertest owns the tests of the loadgen's image and compose file against a real Docker engine: what is
// inside the image, how a container of it ends, and that nothing is lost on the way. It knows the loadgen only from
// outside, by its commands, settings, exit codes and files.
package containertest
