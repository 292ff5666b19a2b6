// The problems of a table, by row and cell.
import type { Schemas } from '../api/client'
import { lists, placeOf, type Field, type List, type Table } from './table'

export type Problem = { severity: 'error' | 'warning'; message: string }
export type Problems = {
  /** By id of the row, then by field. */
  cells: Map<number, Partial<Record<Field, Problem>>>
  shares: Partial<Record<List, Problem>>
  lists: Partial<Record<List, Problem>>
  /** Those without a place in the table. */
  rest: Problem[]
}

/** The ids of the rows in the order that was sent to the server. */
export type Order = Record<List, number[]>

export const orderOf = (table: Table) =>
  Object.fromEntries(lists.map((l) => [l, table.rows[l].map((r) => r.id)])) as Order

export function problemsOf(report: Pick<Schemas['SetupEventReport'], 'errors' | 'warnings'>, order: Order): Problems {
  const out: Problems = { cells: new Map(), shares: {}, lists: {}, rest: [] }
  for (const p of [...(report.errors ?? []), ...(report.warnings ?? [])]) {
    const message = p.cure ? `${p.message}; ${p.cure}` : p.message
    const problem: Problem = { severity: p.severity === 'error' ? 'error' : 'warning', message }
    const place = placeOf(p.where)
    if (!place) out.rest.push({ ...problem, message: `${p.where}: ${message}` })
    else if (place.field === 'share') out.shares[place.list] ??= problem
    else if (place.field === 'list') out.lists[place.list] ??= problem
    else if ('index' in place) {
      const id = order[place.list][place.index]
      if (id === undefined) continue
      const cells = out.cells.get(id) ?? {}
      cells[place.field] ??= problem
      out.cells.set(id, cells)
    }
  }
  return out
}
