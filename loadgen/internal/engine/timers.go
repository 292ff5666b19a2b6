package engine

import "time"

// chunk is how many visits are kept in one piece: growing then copies nothing, so that the millionth visit costs no
// more than the first.
const chunk = 8192

// timers are open visits by the moment their next hit is due: a heap of four branches, which looks at fewer places
// of memory than one of two.
type timers struct {
	chunks []*[chunk]openVisit
	n      int
}

func (t *timers) len() int { return t.n }

func (t *timers) at(i int) *openVisit { return &t.chunks[i/chunk][i%chunk] }

// first is when the first visit is due; there must be one.
func (t *timers) first() time.Duration { return t.at(0).due }

func (t *timers) add(o openVisit) {
	if t.n == len(t.chunks)*chunk {
		t.chunks = append(t.chunks, new([chunk]openVisit))
	}
	i := t.n
	t.n++
	for i > 0 {
		parent := (i - 1) / 4
		if t.at(parent).due <= o.due {
			break
		}
		*t.at(i) = *t.at(parent)
		i = parent
	}
	*t.at(i) = o
}

// next takes the visit that is due first, where it is due by now.
func (t *timers) next(now time.Duration) (openVisit, bool) {
	if t.n == 0 || t.first() > now {
		return openVisit{}, false
	}
	first, last := *t.at(0), t.last()
	if t.n > 0 {
		t.sink(last)
	}
	return first, true
}

// last takes the visit at the end of the heap, any one; there must be one. A chunk and a half are kept to grow into.
func (t *timers) last() openVisit {
	t.n--
	o := *t.at(t.n)
	if spare := len(t.chunks) - 1; t.n < spare*chunk-chunk/2 {
		t.chunks[spare] = nil
		t.chunks = t.chunks[:spare]
	}
	return o
}

// sink puts o in the place of the first and moves it down to where it belongs.
func (t *timers) sink(o openVisit) {
	i := 0
	for {
		child := 4*i + 1
		if child >= t.n {
			break
		}
		least, due := child, t.at(child).due
		for c := child + 1; c < min(child+4, t.n); c++ {
			if d := t.at(c).due; d < due {
				least, due = c, d
			}
		}
		if o.due <= due {
			break
		}
		*t.at(i) = *t.at(least)
		i = least
	}
	*t.at(i) = o
}
