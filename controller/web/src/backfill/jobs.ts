// The progress and the outcome of backfill jobs.
import type { Schemas } from '../api/client'

export type Job = Schemas['JobStatus']
export type Progress = Schemas['JobProgress']
type Day = NonNullable<Progress['days']>[number]
type Outcome = 'queued' | 'running' | 'cancelling' | 'done' | 'missed' | 'cancelled' | 'failed'

export const isActive = (job: Job) => job.state !== 'exited'

/** The state of a job, and how it ended. */
export function outcome(job: Job): Outcome {
  if (job.state !== 'exited') return job.state
  if (job.exit_code === 0) return 'done'
  if (job.exit_code === 4 && job.reason === 'backfill_finished') return 'missed'
  // A job without an exit code that never ran can only have been cancelled.
  const stopped = job.exit_code === 130 || job.reason === 'interrupted' || job.reason === 'cancelled'
  return stopped || (job.exit_code === null && !job.started_at) ? 'cancelled' : 'failed'
}

export const outcomes: Record<Outcome, { tone: 'note' | 'good' | 'warn' | 'bad'; text: string }> = {
  queued: { tone: 'note', text: 'Queued' },
  running: { tone: 'good', text: 'Sending' },
  cancelling: { tone: 'warn', text: 'Cancelling' },
  done: { tone: 'good', text: 'Done' },
  missed: { tone: 'warn', text: 'Done, threshold failed' },
  cancelled: { tone: 'warn', text: 'Cancelled' },
  failed: { tone: 'bad', text: 'Failed' },
}

/** The visits sent; unknown ones too if a user has marked them as sent. */
export const visitsSent = (job: Job, p: Progress) => p.visits_sent + (job.settled ? p.visits_unknown : 0)

/** The visits of a day with an outcome; none of them is sent again. */
export const finished = (d: Day) => d.sent + d.unknown + d.rejected + (d.unsent ?? 0)

/** The finished share of a job, 0 to 1. */
export function share(p: Progress): number {
  const all = (p.days ?? []).reduce((sum, d) => sum + finished(d), 0)
  return p.visits_planned ? Math.min(1, all / p.visits_planned) : 0
}

/** The number of days that have started, and of all days with visits. */
export function dayProgress(p: Progress): [started: number, all: number] {
  const days = (p.days ?? []).filter((d) => !d.skipped)
  return [days.filter((d) => finished(d) > 0).length, days.length]
}

export const jobTitle = (job: Job) => job.name || `Backfill ${job.run_id}`
