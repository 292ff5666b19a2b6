package engine

import "time"

// chunkSize is how many visits are kept in one piece: growing then copies nothing, so that the millionth visit costs no
// more than the first.
const chunkSize = 8192

// visitHeap are open visits by the moment their next hit is due: a heap of four branches, which looks at fewer places
// of memory than one of two.
type visitHeap struct {
	chunks []*[chunkSize]openVisit
	n      int
}

func (t *visitHeap) len() int { return t.n }

func (t *visitHeap) at(i int) *openVisit { return &t.chunks[i/chunkSize][i%chunkSize] }

// firstDue is when the first visit is due; there must be one.
func (t *visitHeap) firstDue() time.Duration { return t.at(0).due }

func (t *visitHeap) push(o openVisit) {
	if t.n == len(t.chunks)*chunkSize {
		t.chunks = append(t.chunks, new([chunkSize]openVisit))
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

// popDue takes the visit that is due first, where it is due by now.
func (t *visitHeap) popDue(now time.Duration) (openVisit, bool) {
	if t.n == 0 || t.firstDue() > now {
		return openVisit{}, false
	}
	first, last := *t.at(0), t.popLast()
	if t.n > 0 {
		t.siftDown(last)
	}
	return first, true
}

// popLast takes the visit at the end of the heap, any one; there must be one. A chunk and a half are kept to grow into.
func (t *visitHeap) popLast() openVisit {
	t.n--
	o := *t.at(t.n)
	if spare := len(t.chunks) - 1; t.n < spare*chunkSize-chunkSize/2 {
		t.chunks[spare] = nil
		t.chunks = t.chunks[:spare]
	}
	return o
}

// siftDown puts o in the place of the first and moves it down to where it belongs.
func (t *visitHeap) siftDown(o openVisit) {
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
