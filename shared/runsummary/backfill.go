package runsummary

import "time"

// Backfill is what a backfill has done of its days. It counts visits; the rows of the summary count their hits.
type Backfill struct {
	Days []BackfillDay `json:"days"`
	// Visits are planned in all, Batches are the requests they make, and BatchesDone those that ended.
	Visits      uint64 `json:"visits_planned"`
	Batches     uint64 `json:"batches_planned"`
	BatchesDone uint64 `json:"batches_done"`
	// Unknown are the batches of which nobody knows whether Matomo took them: they are never sent again.
	Unknown []Batch `json:"unknown_batches"`
	// EstimatedEnd is zero until something was sent, and once the job has ended.
	EstimatedEnd time.Time     `json:"estimated_end,omitzero"`
	Invalidation *Invalidation `json:"invalidation"`
}

// BackfillDay is a day of the site (YYYY-MM-DD). What is planned and neither of the four is still to be sent.
type BackfillDay struct {
	Date    string `json:"date"`
	Planned uint64 `json:"planned"`
	// Sent visits were taken, wholly or in part; Unknown may have been; of Rejected ones none was.
	Sent     uint64 `json:"sent"`
	Unknown  uint64 `json:"unknown"`
	Rejected uint64 `json:"rejected"`
	// Unsent visits are longer than what has passed of the day.
	Unsent uint64 `json:"unsent,omitempty"`
	// Skipped says why the day has no visits, or fewer than it should.
	Skipped string `json:"skipped"`
}

// Batch is one request with whole visits of one day. FirstVisit is the lowest of their numbers; others lie between
// them.
type Batch struct {
	Number     uint64 `json:"number"`
	Date       string `json:"date"`
	Target     string `json:"target"`
	FirstVisit uint64 `json:"first_visit"`
	Visits     int    `json:"visits"`
	Hits       int    `json:"hits"`
	// Why is what is known of it: no answer in time, or that the job was killed meanwhile.
	Why string `json:"why"`
}

// Invalidation is what became of the reports that Matomo had made of the days before: they must be made anew.
type Invalidation struct {
	// Done says that the targets were told so. Where one was not, Command is what to type on its server, and Why the
	// reason.
	Done    bool   `json:"done"`
	Command string `json:"command"`
	Why     string `json:"why"`
}
