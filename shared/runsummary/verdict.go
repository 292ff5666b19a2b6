package runsummary

// Verdict is what became of one threshold.
type Verdict struct {
	// Expression is the threshold as it was written, Metric what it is about.
	Expression string `json:"expression"`
	Metric     string `json:"metric"`
	// Value is the measured one: a fraction of 1 for a share, seconds for a latency. It is nil where nothing was
	// measured.
	Value *float64 `json:"value"`
	Held  bool     `json:"held"`
	// BuiltIn says that nobody set the threshold.
	BuiltIn bool `json:"built_in,omitempty"`
	// Pending says that it does not hold yet and that this means nothing: nothing was measured so far, or what it
	// counts still grows. Nothing is pending once a run has ended.
	Pending bool `json:"pending,omitempty"`
}
