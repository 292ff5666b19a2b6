// Capacity searches: how much a Matomo can take.
import { count, latency, percent, rate, duration } from './numbers'

const value = { share: percent, seconds: latency, number: rate }

export const capacity = {
  find: 'Find the limit',
  findHelp: 'Raises the rate until a threshold breaks, and shows how much this Matomo can take.',
  start: {
    title: 'Find the limit',
    intro:
      'The rate is raised step by step until a threshold breaks, then closed in on from both sides and held for a minute. It uses the saved target and visits; nothing of the configuration changes.',
    warning: 'This pushes the target to its limit on purpose. Do not do it to a Matomo that others need meanwhile.',
    understood: 'The target may be overloaded',
    needed: 'Confirm that the target may be overloaded.',
    replaces: 'The current run is ended first.',
    from: 'Start rate',
    to: 'Maximum rate',
    step: 'Step duration',
    thresholds: 'Thresholds',
    perSecond: 'visits/s',
    seconds: 's',
    lasts: (seconds: number) =>
      `Measures for up to about ${duration(seconds)}; settling after each change of the rate comes on top.`,
    go: 'Start the search',
    started: 'The search has started.',
    refused: 'The search was not started',
  },
  now: 'The current search',
  last: 'The last search',
  earlier: 'Earlier searches',
  never: 'No search has been made yet. Its result and the log of its steps will be here.',
  beginning: 'The search begins…',
  noRecord: 'The search left no record.',
  look: 'Look at it closely',
  searching: 'Searching; nothing has held or broken yet',
  nothing: 'Nothing was found',
  /** The sentence of the result. */
  confirmed: (visits: number, hits: number) => `${rate(visits)} visits/s (${rate(hits)} hits/s) on this Matomo`,
  held: (visits: number, hits: number) =>
    `${rate(visits)} visits/s (${rate(hits)} hits/s) held, not yet for a whole minute`,
  none: (from: number) => `Not even ${rate(from)} visits/s held`,
  gaveUp: (why: string) => `; search aborted: ${why}`,
  limit: (what: string) => `; the limit showed as ${what}`,
  broke: (metric: string, unit: keyof typeof value, n: number, expression: string) =>
    `${names[metric] ?? metric} ${value[unit](n)} (${expression})`,
  and: ' and ',
  unbroken: (to: number) => `; no threshold broke up to ${rate(to)} visits/s, the highest rate allowed`,
  brokeAt: (n: number) => `${rate(n)} visits/s was too much.`,
  thresholds: (list: string) => `Every step had to keep ${list}.`,
  underWay: (kind: string, n: number, phase: string) =>
    `${kinds[kind] ?? kind} at ${rate(n)} visits/s: ${phases[phase] ?? phase}…`,
  curve: {
    latency: 'Latency by rate',
    latencyLabel: 'Latency percentiles at each rate of visits that was tried',
    errors: 'Errors by rate',
    errorsLabel: 'Share of hits not accepted at each rate of visits that was tried',
    share: 'not accepted',
    at: (n: number) => `${rate(n)} visits/s`,
    tick: (n: number) => rate(n),
    found: 'limit',
  },
  steps: {
    title: 'Steps',
    columns: {
      step: 'Step',
      offered: 'Visits/s',
      achieved: 'Begun/s',
      hits: 'Hits/s',
      p95: 'p95',
      errors: 'Errors',
      measured: 'Measured',
      verdict: 'Verdict',
    },
    held: 'held',
    broke: 'broke',
    void: (why: string) => `void, measured again: ${why}`,
    number: (n: number, kind: string) => `${count(n)} ${kinds[kind] ?? kind}`,
    measured: (seconds: number) => duration(seconds),
    none: 'No step has ended yet.',
  },
}

const kinds: Record<string, string> = { raise: 'Raise', bisect: 'Close in', confirm: 'Confirm' }

const phases: Record<string, string> = {
  recover: 'waiting until the backlog is gone',
  settle: 'settling',
  measure: 'measuring',
}

const names: Record<string, string> = {
  error_share: 'error share',
  achieved_rate: 'achieved rate',
  hit_rate: 'hits/s',
}
