// Where to show what the controller says of a configuration: at every setting that a problem is about.
import type { FieldError, Schemas } from '../api/client'

export type Problem = {
  /** The setting that the problem is told of; empty where it is none of the form. */
  key: string
  /** All settings of the form that it is about, `key` first. */
  keys: string[]
  message: string
  severity: 'error' | 'warning'
}

type Fault = Pick<Schemas['FieldProblem'], 'field' | 'message' | 'severity'>

const envKey = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b/g

/** The problems of faults. A rule between settings names the others in its message, so it belongs to them too. */
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

/** The faults of a refused request in the form of those of a validation. */
export const toFaults = (faults: FieldError[]): Fault[] =>
  faults.map((f) => ({ field: f.where, message: f.message, severity: 'error' }))

/** The problems at one setting, of one severity, as a sentence; a problem told of another setting begins with its name. */
export function problemText(
  problems: Problem[],
  key: string,
  severity: Problem['severity'],
  nameOf: (key: string) => string,
): string | undefined {
  const lines = problems
    .filter((p) => p.severity === severity && p.keys.includes(key))
    .map((p) => (p.key === key ? sentence(p.message) : `${nameOf(p.key)} ${p.message}`))
  return lines.join(' · ') || undefined
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
