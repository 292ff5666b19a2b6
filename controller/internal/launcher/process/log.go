package process

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// NewLogFile returns a rotated log file: at most four files of 10 MB. It is opened at the first line and readable by
// its owner only.
func NewLogFile(path string) io.WriteCloser {
	return &lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 3}
}

// maxLine is the length at which a line is broken, in bytes.
const maxLine = 64 << 10

// lineWriter writes the output of a child, line by line with the time, to the log file and to its buffer. It is not
// safe for concurrent use; exec writes from one goroutine.
type lineWriter struct {
	file   io.Writer
	buffer *logBuffer
	// prefix marks the lines of a job in the file, which all children share.
	prefix string
	rest   []byte
}

// Write implements io.Writer. It never fails, because that would end the child; an error of the file is a line in the
// buffer.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) < maxLine {
			return len(p), nil
		}
		end := i + 1
		if i < 0 || i > maxLine {
			i, end = maxLine, maxLine
		}
		w.line(string(bytes.TrimSuffix(w.rest[:i], []byte("\r"))))
		w.rest = w.rest[end:]
	}
}

// flush writes a last line without a newline.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}

func (w *lineWriter) line(text string) {
	line := launcher.ParseLine(time.Now(), text)
	w.buffer.add(line)
	if _, err := io.WriteString(w.file, line.Time.Format(time.RFC3339Nano)+" "+w.prefix+line.Text+"\n"); err != nil {
		w.warn("the log file cannot be written", err)
	}
}

func (w *lineWriter) warn(message string, err error) {
	message += ": " + err.Error()
	w.buffer.add(launcher.Line{Time: time.Now().UTC(), Level: launcher.Warning, Text: message, Message: message})
}

// logBuffer keeps the last lines of a log in memory and wakes its followers. It is safe for concurrent use.
type logBuffer struct {
	mu      sync.Mutex
	max     int
	lines   []launcher.Line // a ring once there are max
	next    uint64          // number of the next line
	changed chan struct{}   // closed when a line is added, or the process ends
}

func newLogBuffer(max int) *logBuffer { return &logBuffer{max: max, changed: make(chan struct{})} }

// add appends a line and wakes the followers.
func (b *logBuffer) add(l launcher.Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) < b.max {
		b.lines = append(b.lines, l)
	} else {
		b.lines[b.next%uint64(b.max)] = l
	}
	b.next++
	b.wake()
}

// end wakes the followers, so that they see that the process has ended.
func (b *logBuffer) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake()
}

func (b *logBuffer) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// since returns the kept lines from a number on, the number of the next line, and a channel that is closed when there
// are more.
func (b *logBuffer) since(from uint64) (lines []launcher.Line, next uint64, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := max(from, b.next-uint64(len(b.lines))); n < b.next; n++ {
		lines = append(lines, b.lines[n%uint64(b.max)])
	}
	return lines, b.next, b.changed
}

// read calls each with the lines since q.Since; following ends with c.
func (b *logBuffer) read(ctx context.Context, c *child, q launcher.LogQuery, each func(launcher.Line) error) error {
	var next uint64
	for {
		running := c.running() // before reading, so that no line before the end is missed
		lines, n, changed := b.since(next)
		next = n
		for _, line := range lines {
			if line.Time.Before(q.Since) {
				continue
			}
			if err := each(line); err != nil {
				return err
			}
		}
		if !q.Follow || !running {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
