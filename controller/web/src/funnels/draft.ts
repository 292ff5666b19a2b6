// A funnel while it is edited: what the form binds to, and what of it is sent.
import type { FieldError, Schemas } from '../api/client'
import { words } from '../text'
import type { StepType } from '../text/hits'

/** A field of a step as the form holds it. Numbers are null while they are empty. */
export type Step = Omit<Schemas['FunnelStep'], 'delay_seconds_min' | 'delay_seconds_max'> & {
  /** Of this browser alone, to tell steps apart while they move. */
  id: number
  delay_seconds_min: number | null
  delay_seconds_max: number | null
}

export type Draft = {
  name: string
  description: string
  probability: number | null
  priority: number | null
  enabled: boolean
  exit_after_completion: boolean
  steps: Step[]
}

const { steps, fields, common } = words.hits

let lastID = 0

export function newStep(part: Partial<Step> = {}): Step {
  const empty = Object.entries(fields).map(([key, field]) => [key, field.number ? null : ''])
  return {
    ...(Object.fromEntries(empty) as Omit<Step, 'id' | 'type'>),
    type: 'pageview',
    delay_seconds_min: 0,
    delay_seconds_max: 2,
    ...part,
    id: ++lastID,
  }
}

export function blank(): Draft {
  return {
    name: '',
    description: '',
    probability: 0.2,
    priority: 0,
    enabled: true,
    exit_after_completion: true,
    steps: [newStep()],
  }
}

/** A saved funnel as a draft. */
export function draftOf(f: Schemas['SetupFunnel']): Draft {
  const { steps, ...config } = f.config
  return {
    name: f.name,
    description: f.description,
    ...config,
    steps: (steps ?? []).map((s) => newStep(s as Partial<Step>)),
  }
}

/** The fields that a step of a type has beside the common ones. */
export const fieldsOf = (type: StepType) => Object.keys(steps[type].fields) as (keyof Schemas['FunnelStep'])[]

/** What is sent of a draft: of each step only what its type has. */
export function body(d: Draft) {
  return {
    ...d,
    steps: d.steps.map((s) =>
      Object.fromEntries(['type' as const, ...common, ...fieldsOf(s.type)].map((key) => [key, s[key]])),
    ),
  }
}

/** Every visit begins with a pageview. */
export const lawful = (steps: Pick<Step, 'type'>[]) => steps[0]?.type === 'pageview'

/** A name nobody has: the wanted one, or with the first free number behind it. Names differ in more than case. */
export function freeName(wanted: string, taken: string[]): string {
  const used = new Set(taken.map((n) => n.toLowerCase()))
  for (let n = 1; ; n++) {
    const tail = n === 1 ? '' : ` ${n}`
    const name = Array.from(wanted)
      .slice(0, 100 - tail.length)
      .join('')
      .trimEnd()
    if (!used.has((name + tail).toLowerCase())) return name + tail
  }
}

type Chance = { priority: number | null; probability: number | null; enabled: boolean }

/**
 * What part of all visits would follow a draft once it is saved beside the others. The others with a lower priority
 * take theirs first; among equals the newest change is tried first, which is then the draft's.
 */
export function shareOf(draft: Chance, others: Chance[]): number {
  if (!draft.enabled) return 0
  const left = others
    .filter((f) => f.enabled && (f.priority ?? 0) < (draft.priority ?? 0))
    .reduce((rest, f) => rest * (1 - (f.probability ?? 0)), 1)
  return left * Math.min(1, Math.max(0, draft.probability ?? 0))
}

/** When a step happens: seconds since the visit's first hit, at the earliest and at the latest. */
export type Moment = { from: number; to: number }

/** The moments of all steps and, last, that of the end: a step's delay is the time after it. */
export function moments(steps: Pick<Step, 'delay_seconds_min' | 'delay_seconds_max'>[]): Moment[] {
  const out: Moment[] = [{ from: 0, to: 0 }]
  let last = out[0]!
  for (const s of steps) {
    const min = Math.max(0, s.delay_seconds_min ?? 0)
    last = { from: last.from + min, to: last.to + Math.max(min, s.delay_seconds_max ?? 0) }
    out.push(last)
  }
  return out
}

/** FieldErrors by field: "name", "steps", or "steps[2].url". */
export type FieldErrors = Record<string, string>

/** Puts errors of an answer to their fields; those of a preview are told under "funnel.". */
export function byField(list: FieldError[]): FieldErrors {
  const out: FieldErrors = {}
  for (const f of list) {
    const field = f.where.replace(/^funnel\./, '')
    out[field] = out[field] ? `${out[field]} · ${f.message}` : f.message
  }
  return out
}

/** FieldErrors that a person can already be told of: what is still empty is left out, for it may be on its way. */
export function early(errors: FieldErrors, d: Draft): FieldErrors {
  const value = (field: string) => {
    const at = /^steps\[(\d+)\]\.(\w+)$/.exec(field)
    return at ? d.steps[Number(at[1])]?.[at[2] as keyof Step] : d[field as keyof Draft]
  }
  return Object.fromEntries(Object.entries(errors).filter(([field]) => !['', null].includes(value(field) as never)))
}
