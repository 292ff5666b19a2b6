// What the doctor found of a Matomo, in the order in which a person wants to read it.
import type { Schemas } from '../api/client'

export type Finding = Schemas['DoctorFinding']

/** What is wrong, errors first; what is fine; and what could not be told. */
export function grouped(findings: Finding[]): { wrong: Finding[]; fine: Finding[]; untold: Finding[] } {
  const of = (...verdicts: string[]) => findings.filter((f) => verdicts.includes(f.verdict))
  return { wrong: [...of('error'), ...of('warning')], fine: of('ok'), untold: of('cannot_tell') }
}
