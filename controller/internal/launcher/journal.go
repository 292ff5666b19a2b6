package launcher

import "sync"

// Journal keeps the last lines of a log in memory and wakes those who follow it. It is safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	lines []Line // a ring once it is full
	next  uint64 // how many lines there ever were
	woken chan struct{}
}

// NewJournal keeps up to size lines.
func NewJournal(size int) *Journal {
	return &Journal{lines: make([]Line, 0, size), woken: make(chan struct{})}
}

// Add appends a line and wakes the followers.
func (j *Journal) Add(l Line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) < cap(j.lines) {
		j.lines = append(j.lines, l)
	} else {
		j.lines[j.next%uint64(cap(j.lines))] = l
	}
	j.next++
	j.wake()
}

// Wake wakes the followers without a line, so that they see that there will be none.
func (j *Journal) Wake() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wake()
}

func (j *Journal) wake() {
	close(j.woken)
	j.woken = make(chan struct{})
}

// Read returns the kept lines from number from on, the number to go on with, and what is closed when there are more.
func (j *Journal) Read(from uint64) (lines []Line, next uint64, more <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from = max(from, j.next-uint64(len(j.lines)))
	for n := from; n < j.next; n++ {
		lines = append(lines, j.lines[n%uint64(cap(j.lines))])
	}
	return lines, j.next, j.woken
}
