// A funnel being edited, and the conversion from and to the API's types.
import type { FieldError, Schemas } from '../api/client'
import { words } from '../text'
import type { StepType } from '../text/hits'

/** A step in the form. Empty numbers are null. */
export type Step = Omit<Schemas['FunnelStep'], 'delay_seconds_min' | 'delay_seconds_max'> & {
  /** Identifies the step in this browser. */
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

/** The fields of a type of step besides the common ones. */
export const fieldsOf = (type: StepType) => Object.keys(steps[type].fields) as (keyof Schemas['FunnelStep'])[]

/** The request body of a draft: each step with the fields of its type. */
export function body(d: Draft) {
  return {
    ...d,
    steps: d.steps.map((s) =>
      Object.fromEntries(['type' as const, ...common, ...fieldsOf(s.type)].map((key) => [key, s[key]])),
    ),
  }
}

/** Every visit starts with a pageview. */
export const isValidOrder = (steps: Pick<Step, 'type'>[]) => steps[0]?.type === 'pageview'

/** An unused name: the wanted one, or with the first free number appended. Names are compared ignoring case. */
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
 * The share of all visits that a draft will get. Funnels with a lower priority number come first; among equals the
 * latest change, which is the draft.
 */
export function shareOf(draft: Chance, others: Chance[]): number {
  if (!draft.enabled) return 0
  const left = others
    .filter((f) => f.enabled && (f.priority ?? 0) < (draft.priority ?? 0))
    .reduce((rest, f) => rest * (1 - (f.probability ?? 0)), 1)
  return left * Math.min(1, Math.max(0, draft.probability ?? 0))
}

/** The earliest and latest time of a step, in seconds since the first hit of the visit. */
export type Moment = { from: number; to: number }

/** The times of all steps and of the end of the funnel: a step's delay follows it. */
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

/** Error messages by field: "name", "steps", or "steps[2].url". */
export type FieldErrors = Record<string, string>

/** Groups the errors of a response by field; those of a preview have the prefix "funnel.". */
export function byField(list: FieldError[]): FieldErrors {
  const out: FieldErrors = {}
  for (const f of list) {
    const field = f.where.replace(/^funnel\./, '')
    out[field] = out[field] ? `${out[field]} · ${f.message}` : f.message
  }
  return out
}

/** The errors to show before saving: those of fields that are not empty. */
export function early(errors: FieldErrors, d: Draft): FieldErrors {
  const value = (field: string) => {
    const at = /^steps\[(\d+)\]\.(\w+)$/.exec(field)
    return at ? d.steps[Number(at[1])]?.[at[2] as keyof Step] : d[field as keyof Draft]
  }
  return Object.fromEntries(Object.entries(errors).filter(([field]) => !['', null].includes(value(field) as never)))
}
