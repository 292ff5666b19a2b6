// The filters of the run list and the runs selected for a comparison; both persist while a run is shown.
import type { Schemas } from '../api/client'

export type Selected = Pick<Schemas['RunHead'], 'id' | 'started'>

const noFilters = { kind: '', label: '', reason: '', text: '' }

class RunList {
  kind = $state('')
  label = $state('')
  reason = $state('')
  text = $state('')
  /** The offset of the current page. */
  skip = $state(0)
  selected = $state.raw<Selected[]>([])

  /** The API query; an empty filter is omitted. */
  readonly query = $derived({
    skip: this.skip,
    kind: (this.kind || undefined) as Schemas['RunHead']['kind'] | undefined,
    label: this.label || undefined,
    reason: this.reason || undefined,
    q: this.text.trim() || undefined,
  })
  readonly isFiltered = $derived(!!(this.kind || this.label || this.reason || this.text.trim()))

  /** Sets filters and goes to the first page. */
  filter(by: Partial<typeof noFilters>) {
    Object.assign(this, by)
    this.skip = 0
  }

  clearFilters() {
    this.filter(noFilters)
  }

  /** Selects or deselects a run; a third one replaces the one selected last. */
  toggle({ id, started }: Selected) {
    if (this.selected.some((r) => r.id === id)) this.deselect(id)
    else this.selected = [...this.selected.slice(0, 1), { id, started }]
  }

  deselect(id: string) {
    this.selected = this.selected.filter((r) => r.id !== id)
  }
}

export const runList = new RunList()

/** The path of a comparison, the earlier run first. */
export function comparisonPath(runs: Selected[]): string {
  const [a, b] = runs.toSorted((x, y) => Date.parse(x.started) - Date.parse(y.started))
  return `/runs/compare/${a!.id}/${b!.id}`
}
