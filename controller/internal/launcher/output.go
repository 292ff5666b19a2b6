package launcher

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// Output is the output of a command of the loadgen.
type Output struct {
	Stdout []byte
	// Stderr is its standard error. Files of the exchange folder appear without their directory.
	Stderr   []Line
	ExitCode int
}

// MaxOutput is the maximum size of a command's output, in bytes.
const MaxOutput = 8 << 20

// ErrOutputTooLarge reports output of more than MaxOutput.
var ErrOutputTooLarge = errors.New("the loadgen's output exceeds 8 MiB")

// OutputWriter collects the output of a command. A stream that exceeds MaxOutput fails, which ends the command.
type OutputWriter struct{ Stdout, Stderr limitedBuffer }

// Overflowed reports whether a stream exceeded MaxOutput.
func (w *OutputWriter) Overflowed() bool { return w.Stdout.overflowed || w.Stderr.overflowed }

// Output returns what was collected; exchangeDir is the command's exchange folder.
func (w *OutputWriter) Output(exitCode int, exchangeDir string) Output {
	out, now := Output{Stdout: w.Stdout.data.Bytes(), ExitCode: exitCode}, time.Now()
	for line := range strings.Lines(strings.ReplaceAll(w.Stderr.data.String(), exchangeDir+"/", "")) {
		out.Stderr = append(out.Stderr, ParseLine(now, strings.TrimRight(line, "\r\n")))
	}
	return out
}

// limitedBuffer does not embed its buffer, because io.Copy would bypass Write.
type limitedBuffer struct {
	data       bytes.Buffer
	overflowed bool
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.overflowed = b.overflowed || b.data.Len()+len(p) > MaxOutput; b.overflowed {
		return 0, ErrOutputTooLarge
	}
	return b.data.Write(p)
}
