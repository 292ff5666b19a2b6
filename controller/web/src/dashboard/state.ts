// The state of the generator: the worst of its process, targets, thresholds and connection to the controller.
import type { Sample, Status } from '../api/live.svelte'
import { type Job, share } from '../backfill/jobs'
import { percent, words } from '../text'
import type { Tone } from '../ui'

export type Condition = {
  /** The key in words.states. */
  key: string
  word: string
  /** Problems and a backfill in progress, in a few words each. */
  notes: string[]
  /** An explanation, with the controller's reason; only the reason if the generator is not running. */
  meaning: string
  tone: Tone
  /** A run is active. */
  active: boolean
}

const tones: Record<string, Tone> = {
  running: 'good',
  backfilling: 'good',
  starting: 'note',
  draining: 'warn',
  paused: 'warn',
  held: 'warn',
  unstored: 'bad',
  restarting: 'warn',
  frozen: 'warn',
  dead: 'bad',
  not_found: 'warn',
  foreign: 'bad',
  unavailable: 'bad',
}

export type Seen = {
  status?: Status
  /** The latest sample of any run. */
  sample?: Sample
  jobs?: Job[]
  /** The controller is unreachable: the rest is the last known state. */
  lost?: boolean
}

export function stateView({ status: s, sample, jobs = [], lost }: Seen): Condition {
  const active = !!s?.run && !s.run.ended
  const job = jobs.find((j) => j.state === 'running' || j.state === 'cancelling')
  const done = job?.progress ? percent(share(job.progress)) : ''
  const process = stateKey(s)
  const backfilling = !!job && !active && !s?.operation && quiet.has(process)
  const key = backfilling ? 'backfilling' : process
  const reason = s?.container.reason
  const [word, meaning] = words.states[key] ?? [key, '']
  const troubles = active && sample && sample.run_id === s?.run?.id ? troublesOf(sample) : []
  const named = s?.operation ? (words.operations[s.operation.name] ?? s.operation.name) : word
  const notes = troubles.map((t) => t.note)
  if (job && !backfilling) notes.push(words.stateNotes.backfill(done))
  let tone = s?.operation ? 'note' : (tones[key] ?? 'note')
  for (const t of troubles) if (worse.indexOf(t.tone) > worse.indexOf(tone)) tone = t.tone
  return {
    key,
    word: lost && s ? words.stateNotes.lastKnown(named) : backfilling ? `${named} ${done}`.trim() : named,
    notes,
    meaning: !reason
      ? meaning
      : s?.container.state === 'running'
        ? `${meaning} ${words.stateNotes.container(reason)}`.trim()
        : reason,
    tone: lost ? 'note' : tone,
    active,
  }
}

/** The states in which the generator sends nothing. */
const quiet = new Set(['idle', 'stopped', 'created', 'not_found'])

/** The tones, the worst last. */
const worse: Tone[] = ['good', 'note', 'warn', 'bad']

function troublesOf(sample: Sample): { note: string; tone: Tone }[] {
  const targets = sample.targets ?? []
  const of = (health: string) => targets.filter((t) => t.health === health).length
  const missed = (sample.thresholds ?? []).filter((v) => !v.held && !v.pending).length
  const [failed, degraded] = [of('failed'), of('degraded')]
  return [
    ...(failed ? [{ note: words.stateNotes.failed(failed, targets.length), tone: 'bad' as const }] : []),
    ...(degraded ? [{ note: words.stateNotes.degraded(degraded, targets.length), tone: 'warn' as const }] : []),
    ...(missed ? [{ note: words.stateNotes.thresholds(missed), tone: 'bad' as const }] : []),
  ]
}

function stateKey(s: Status | undefined): string {
  if (!s) return 'unknown'
  const { state } = s.container
  if (state === 'paused') return 'frozen'
  if (state !== 'running') return state
  if (s.phase === 'paused' && s.pause_reason === 'state_full') return 'unstored'
  if (s.phase === 'paused' && s.control?.paused) return 'held'
  if (s.phase === 'running' || s.phase === 'paused' || s.phase === 'draining' || s.phase === 'idle') return s.phase
  return s.phase === 'ended' ? 'stopped' : 'starting'
}
