package process

import (
	"context"
	"sync"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// logBuffer keeps the last lines of a log in memory and wakes its followers. It is safe for concurrent use.
type logBuffer struct {
	mu      sync.Mutex
	lines   []launcher.Line // a ring once it is full
	next    uint64          // number of the next line
	changed chan struct{}   // closed when a line is added, or the process ends
}

func newLogBuffer(size int) *logBuffer {
	return &logBuffer{lines: make([]launcher.Line, 0, size), changed: make(chan struct{})}
}

// add appends a line and wakes the followers.
func (b *logBuffer) add(l launcher.Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) < cap(b.lines) {
		b.lines = append(b.lines, l)
	} else {
		b.lines[b.next%uint64(cap(b.lines))] = l
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
		lines = append(lines, b.lines[n%uint64(cap(b.lines))])
	}
	return lines, b.next, b.changed
}

// read calls each with the lines that the query selects; following ends with c.
func (b *logBuffer) read(ctx context.Context, c *child, q launcher.LogQuery, each func(launcher.Line) error) error {
	var next uint64
	for {
		running := c.running() // before reading, so that no line before the end is missed
		lines, n, changed := b.since(next)
		next = n
		matching := lines[:0]
		for _, line := range lines {
			if q.Matches(line) {
				matching = append(matching, line)
			}
		}
		if q.Tail > 0 {
			matching = matching[max(0, len(matching)-q.Tail):]
		}
		q.Tail = 0 // later lines are all new
		for _, line := range matching {
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
