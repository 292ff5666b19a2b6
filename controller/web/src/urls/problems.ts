// The problems of a page list, by line.
import type { Schemas } from '../api/client'

export type Problem = {
  severity: 'error' | 'warning'
  /** From 1; undefined for the entire list. */
  line?: number
  message: string
}

/** The problems of a report: errors first, each kind in the order of the lines. */
export function problemsOf(report: Pick<Schemas['SetupURLReport'], 'errors' | 'warnings'>): Problem[] {
  return [...(report.errors ?? []), ...(report.warnings ?? [])].map((p) => ({
    severity: p.severity === 'error' ? 'error' : 'warning',
    line: Number(/ line (\d+)$/.exec(p.where)?.[1]) || undefined,
    message: p.cure ? `${p.message}; ${p.cure}` : p.message,
  }))
}
