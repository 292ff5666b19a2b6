package shop

// Catalogue returns the products.
func (s *Shop) Catalogue() []Product { return s.products }
