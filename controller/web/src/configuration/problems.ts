// Problems of a configuration, and the settings they concern.
import type { FieldError, Schemas } from '../api/client'
import { nameOf } from '../text'

export type Problem = {
  /** The setting that the problem was reported for; empty if the form does not have it. */
  key: string
  /** All settings of the form that it concerns, `key` first. */
  keys: string[]
  message: string
  severity: 'error' | 'warning'
}

type Fault = Pick<Schemas['FieldProblem'], 'field' | 'message' | 'severity'>

const envKey = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b/g

/** Assigns faults to settings; a rule between several settings names the others in its message. */
export function toProblems(faults: Fault[], known: Set<string>): Problem[] {
  return faults.map((f) => {
    const named = [...f.field.matchAll(envKey), ...f.message.matchAll(envKey)].map((m) => m[0])
    const keys = [...new Set(named)].filter((k) => known.has(k))
    const key = known.has(f.field) ? f.field : (keys[0] ?? '')
    return {
      key,
      keys,
      message: key ? f.message : f.field ? `${f.field}: ${f.message}` : f.message,
      severity: f.severity === 'warning' ? 'warning' : 'error',
    }
  })
}

/** The invalid fields of a request that was refused as invalid. */
export const toFaults = (e: { status: number; fields: FieldError[] }): Fault[] =>
  e.status === 422 ? e.fields.map((f) => ({ field: f.where, message: f.message, severity: 'error' })) : []

/** The warnings of a request that succeeded. */
export const warningTexts = (warnings: Fault[] | null | undefined) =>
  (warnings ?? []).map((w) => `${w.field}: ${w.message}`)

/** The problems of a setting of one severity; those reported for another setting start with its name. */
export function problemText(problems: Problem[], key: string, severity: Problem['severity']): string | undefined {
  const lines = problems
    .filter((p) => p.severity === severity && p.keys.includes(key))
    .map((p) => (p.key === key ? sentence(p.message) : `${nameOf(p.key)} ${p.message}`))
  return lines.join(' · ') || undefined
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
