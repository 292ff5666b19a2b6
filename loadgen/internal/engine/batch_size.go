package engine

// BatchSize is how many hits a request to a target may have: as many as it takes. It is not safe for concurrent use.
type BatchSize struct {
	// Max is the limit.
	Max int
	// largest is the largest number that was taken: where one so large is refused, its hits are unusually long.
	largest int
}

// Accepted books that a request of so many hits was taken.
func (s *BatchSize) Accepted(hits int) { s.largest = max(s.largest, hits) }

// Refused books that a request of so many hits was too large, and halves the limit, but not below what was taken. It
// says whether the limit has changed.
func (s *BatchSize) Refused(hits int) bool {
	before := s.Max
	s.Max = min(s.Max, max(1, hits/2, s.largest))
	return s.Max < before
}
