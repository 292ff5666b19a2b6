package engine

// Size is how many hits a request to a target may have: as many as it takes. It is not safe for concurrent use.
type Size struct {
	// Most is the limit.
	Most int
	// taken is the largest number that was taken: where one so large is refused, its hits are unusually long.
	taken int
}

// Take books that a request of so many hits was taken.
func (s *Size) Take(hits int) { s.taken = max(s.taken, hits) }

// Refuse books that a request of so many hits was too large, and halves the limit, but not below what was taken. It
// says whether the limit has changed.
func (s *Size) Refuse(hits int) bool {
	before := s.Most
	s.Most = min(s.Most, max(1, hits/2, s.taken))
	return s.Most < before
}
