package engine

import "time"

// chunkSize is how many visits are stored in one piece: growing copies nothing, so that the millionth visit costs no
// more than the first.
const chunkSize = 8192

// visitHeap orders open visits by when their next hit is due. It has four branches, which touches less memory than two.
type visitHeap struct {
	chunks []*[chunkSize]openVisit
	n      int
}

func (h *visitHeap) len() int                { return h.n }
func (h *visitHeap) at(i int) *openVisit     { return &h.chunks[i/chunkSize][i%chunkSize] }
func (h *visitHeap) firstDue() time.Duration { return h.at(0).due } // there must be one

func (h *visitHeap) push(o openVisit) {
	if h.n == len(h.chunks)*chunkSize {
		h.chunks = append(h.chunks, new([chunkSize]openVisit))
	}
	i := h.n
	h.n++
	for i > 0 {
		parent := (i - 1) / 4
		if h.at(parent).due <= o.due {
			break
		}
		*h.at(i) = *h.at(parent)
		i = parent
	}
	*h.at(i) = o
}

// popDue removes and returns the first visit if it is due by now.
func (h *visitHeap) popDue(now time.Duration) (openVisit, bool) {
	if h.n == 0 || h.firstDue() > now {
		return openVisit{}, false
	}
	first, last := *h.at(0), h.popLast()
	if h.n > 0 {
		h.siftDown(last)
	}
	return first, true
}

// popLast removes and returns the last visit in memory; there must be one. One and a half chunks are kept to grow into.
func (h *visitHeap) popLast() openVisit {
	h.n--
	o := *h.at(h.n)
	if spare := len(h.chunks) - 1; h.n < spare*chunkSize-chunkSize/2 {
		h.chunks[spare] = nil
		h.chunks = h.chunks[:spare]
	}
	return o
}

// siftDown puts o in place of the first visit and moves it down to its position.
func (h *visitHeap) siftDown(o openVisit) {
	i := 0
	for {
		child := 4*i + 1
		if child >= h.n {
			break
		}
		first, due := child, h.at(child).due
		for c := child + 1; c < min(child+4, h.n); c++ {
			if d := h.at(c).due; d < due {
				first, due = c, d
			}
		}
		if o.due <= due {
			break
		}
		*h.at(i) = *h.at(first)
		i = first
	}
	*h.at(i) = o
}
