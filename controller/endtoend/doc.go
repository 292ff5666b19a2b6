// Package endtoend owns the tests of the whole product: from a configuration, through the API alone, to a ledger that
// equals the target's own counts, with processes and with the containers of docker-compose.webui.yml. Its files are all
// tests.
package endtoend
