package launcher

import (
	"context"
	"time"
)

// Jobs is a way to have loadgens beside the one of Port that each do one thing and end. A job is known by an id of
// letters, digits, - and _, which names its folders, see exchange.JobFolder; its files must lie there before it is
// started. It has a state folder of its own, because a loadgen closes the ledgers that it finds open in its folder.
// Jobs are safe for concurrent use, one caller for each job. Errors are those of Port.
type JobRuntime interface {
	// JobName is how the runtime calls a job, whether it is there or not.
	JobName(id string) string
	// JobsDetached reports whether jobs go on while their controller does not run. Then one that is missing was removed
	// by somebody; else it ended with its controller.
	JobsDetached() bool
	// Job tells how one stands.
	Job(ctx context.Context, id string) Status
	// StartJob makes it where it is missing and starts it. One that has ended goes on by its own means, one that runs
	// is left alone.
	StartJob(ctx context.Context, id string) error
	// StopJob asks it to drain and kills it when it has not ended after timeout. One that does not run is left alone.
	StopJob(ctx context.Context, id string, timeout time.Duration) error
	// RemoveJob forgets one that has ended, with its log; its folders stay. One that runs is ErrInvalidState, one that is
	// missing no error.
	RemoveJob(ctx context.Context, id string) error
	// JobLogs is Port's Logs for a job.
	JobLogs(ctx context.Context, id string, q LogQuery, each func(Line) error) error
}
