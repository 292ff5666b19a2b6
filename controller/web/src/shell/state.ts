// One word for how the generator stands, from what the controller tells.
import type { Status } from '../api/live.svelte'
import { words } from '../words'

export type Tone = 'good' | 'warn' | 'bad' | 'note'

export type Condition = {
  /** The key of the state in the catalogue. */
  key: string
  word: string
  /** What it means, or the controller's own explanation with the cure. */
  meaning: string
  tone: Tone
  /** Traffic is sent or about to be. */
  active: boolean
}

const tones: Record<string, Tone> = {
  running: 'good',
  starting: 'note',
  draining: 'warn',
  paused: 'warn',
  held: 'warn',
  restarting: 'warn',
  frozen: 'warn',
  dead: 'bad',
  missing: 'warn',
  foreign: 'bad',
  unavailable: 'bad',
}

export function condition(s: Status | undefined): Condition {
  const key = stateKey(s)
  const [word, meaning] = words.states[key] ?? [key, '']
  return {
    key,
    word: s?.operation ? (words.operations[s.operation.name] ?? s.operation.name) : word,
    meaning: s?.container.reason || meaning,
    tone: s?.operation ? 'note' : (tones[key] ?? 'note'),
    active: !!s?.run && !s.run.ended,
  }
}

function stateKey(s: Status | undefined): string {
  if (!s) return 'unknown'
  const { state } = s.container
  if (state === 'paused') return 'frozen'
  if (state !== 'running') return state
  if (s.phase === 'paused' && s.control?.paused) return 'held'
  if (s.phase === 'running' || s.phase === 'paused' || s.phase === 'draining' || s.phase === 'idle') return s.phase
  return s.phase === 'ended' ? 'exited' : 'starting'
}
