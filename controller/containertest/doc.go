// Package containertest owns the tests of docker-compose.webui.yml on a real Docker engine: a person's way through the
// product with containers, and what an engine that goes away does to it.
package containertest
