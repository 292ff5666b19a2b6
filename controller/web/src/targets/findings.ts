// The findings of a connection test, grouped.
import type { Schemas } from '../api/client'

export type Finding = Schemas['DoctorFinding']

/** Problems, errors first; passed checks; and checks that could not be made. */
export function grouped(findings: Finding[]): { problems: Finding[]; passed: Finding[]; unchecked: Finding[] } {
  const of = (...verdicts: string[]) => findings.filter((f) => verdicts.includes(f.verdict))
  return { problems: [...of('error'), ...of('warning')], passed: of('ok'), unchecked: of('cannot_tell') }
}
