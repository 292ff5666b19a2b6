// Package containertest owns the tests of the whole product from outside: a person's way from a configuration to a
// ledger that equals the target's own counts, by the API alone, once with containers of docker-compose.webui.yml and
// once with processes. It knows no package of the controller.
package containertest
