// How far a job has come and how it ended, from what the controller tells of it.
import type { Schemas } from '../api/client'

export type Job = Schemas['JobStatus']
export type Progress = Schemas['JobProgress']

export const isActive = (job: Job) => job.state !== 'exited'

/** The word for a job: its state, and of one that has ended how. */
export function outcome(job: Job): 'queued' | 'running' | 'cancelling' | 'done' | 'missed' | 'cancelled' | 'failed' {
  if (job.state !== 'exited') return job.state
  if (job.exit_code === 0) return 'done'
  if (job.exit_code === 4 && job.reason === 'backfill_finished') return 'missed'
  // One that never ran has no exit code; it can only have been cancelled.
  const stopped = job.exit_code === 130 || job.reason === 'interrupted' || job.reason === 'cancelled'
  return stopped || (job.exit_code === null && !job.started_at) ? 'cancelled' : 'failed'
}

export const tones = {
  queued: 'note',
  running: 'good',
  cancelling: 'warn',
  done: 'good',
  missed: 'warn',
  cancelled: 'warn',
  failed: 'bad',
} as const

/** The visits that count as sent: a person may have said so of those of which nobody knows. */
export const visitsSent = (job: Job, p: Progress) => p.visits_sent + (job.settled ? p.visits_unknown : 0)

type Day = NonNullable<Progress['days']>[number]

/** The visits of a day that are over: sent or not, none of them comes again. */
export const finished = (d: Day) => d.sent + d.unknown + d.rejected + (d.unsent ?? 0)

/** The share of a job that is over, 0 to 1. */
export function share(p: Progress): number {
  const all = (p.days ?? []).reduce((sum, d) => sum + finished(d), 0)
  return p.visits_planned ? Math.min(1, all / p.visits_planned) : 0
}

/** Of the days with visits how many have any answer, and how many there are. */
export function dayProgress(p: Progress): [begun: number, all: number] {
  const days = (p.days ?? []).filter((d) => !d.skipped)
  return [days.filter((d) => finished(d) > 0).length, days.length]
}

/** What a job is called: its name, else its window. */
export function jobTitle(job: Job, unnamed: string): string {
  return job.name || `${unnamed} ${job.run_id}`
}
