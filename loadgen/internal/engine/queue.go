package engine

// queue holds visits whose next hits are due, first come first served. It is a ring whose size is a power of two.
type queue struct {
	ring  []openVisit
	first int
	n     int
}

func (q *queue) at(i int) *openVisit { return &q.ring[(q.first+i)&(len(q.ring)-1)] }

func (q *queue) head() *openVisit { return q.at(0) }

func (q *queue) push(o openVisit) {
	q.grow()
	*q.at(q.n) = o
	q.n++
}

// pushFront lets o go before all others.
func (q *queue) pushFront(o openVisit) {
	q.grow()
	q.first = (q.first - 1 + len(q.ring)) & (len(q.ring) - 1)
	*q.at(0) = o
	q.n++
}

func (q *queue) pop() openVisit {
	o := *q.head()
	q.first++
	q.n--
	return o
}

func (q *queue) grow() {
	if q.n < len(q.ring) {
		return
	}
	ring := make([]openVisit, max(16, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = *q.at(i)
	}
	q.ring, q.first = ring, 0
}
