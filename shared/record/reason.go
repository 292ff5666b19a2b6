package record

// Reason is why hits of a target were not accepted, or what was odd about answers that accepted them.
type Reason struct {
	Target string `json:"target"`
	// Class is one of package answer's, or that of a hit that was not sent.
	Class string `json:"class"`
	// Status is the HTTP status, 0 where there was no answer.
	Status int `json:"status,omitempty"`
	// Hits is how many hits it concerns.
	Hits uint64 `json:"hits"`
	// FirstWords are the first words of the first such answer or error, without tags, tokens and control characters.
	FirstWords string `json:"first_words,omitempty"`
}
