package process

import (
	"bytes"
	"context"
	"io"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// NewLog is a file that is rotated: four of 10 MB at most. It is opened at the first line, readable for its owner.
func NewLogFile(path string) io.WriteCloser {
	return &lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 3}
}

// maxLine is where a line is broken, in bytes.
const maxLine = 64 << 10

// lines is what a child writes to: every line goes with its time into the log and into the journal. exec writes from
// one goroutine.
type lines struct {
	log     io.Writer
	journal *launcher.Journal
	// mark stands before each line in the log, which all children share.
	mark string
	rest []byte
}

// Write implements io.Writer. A log that cannot be written must not end the child, so its error is told in the journal.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 && len(l.rest) < maxLine {
			return len(p), nil
		}
		end := i + 1
		if i < 0 || i > maxLine {
			i, end = maxLine, maxLine
		}
		l.line(string(bytes.TrimSuffix(l.rest[:i], []byte("\r"))))
		l.rest = l.rest[end:]
	}
}

// flush ends a last line that has no end of its own.
func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.line(string(l.rest))
		l.rest = nil
	}
}

func (l *lines) line(text string) {
	now := time.Now().UTC()
	l.journal.Add(launcher.ParseLine(now, text))
	if _, err := io.WriteString(l.log, now.Format(time.RFC3339Nano)+" "+l.mark+text+"\n"); err != nil {
		l.journal.Add(launcher.Line{Time: now, Level: launcher.Warning,
			Text: "the log file cannot be written: " + err.Error()})
	}
}

// Logs implements launcher.Runtime.
func (p *Process) Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	return read(ctx, p.current(), p.journal, q, each)
}

// read gives the lines of a journal; the end of the child that writes there now ends the following.
func read(ctx context.Context, followed *child, journal *launcher.Journal, q launcher.LogQuery,
	each func(launcher.Line) error) error {
	var next uint64
	tail := q.Tail
	for {
		// Asked before reading, so that nothing written before the end is missed.
		alive := followed.running()
		lines, n, more := journal.Read(next)
		next = n
		matching := lines[:0]
		for _, line := range lines {
			if q.Matches(line) {
				matching = append(matching, line)
			}
		}
		if tail > 0 && len(matching) > tail {
			matching = matching[len(matching)-tail:]
		}
		tail = 0 // what is followed is given whole
		for _, line := range matching {
			if err := each(line); err != nil {
				return err
			}
		}
		if !q.Follow || !alive {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil
		}
	}
}
