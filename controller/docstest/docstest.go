// Package docstest holds README, docs and examples to what the programs do: links, commands, data files, metrics and the
// schema of a run summary. It has tests alone.
package docstest
