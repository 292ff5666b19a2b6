// What the list of runs is narrowed to and which runs are chosen for a comparison; both stay while a run is looked at.
import type { Schemas } from '../api/client'

export type Chosen = Pick<Schemas['RunHead'], 'id' | 'started'>

/** A comparison is of two. */
const most = 2

class Choice {
  kind = $state('')
  label = $state('')
  reason = $state('')
  text = $state('')
  /** Runs that the page of the list leaves out. */
  skip = $state(0)
  chosen = $state.raw<Chosen[]>([])

  /** What the controller is asked for; an empty filter is none. */
  readonly asked = $derived({
    skip: this.skip,
    kind: (this.kind || undefined) as Schemas['RunHead']['kind'] | undefined,
    label: this.label || undefined,
    reason: this.reason || undefined,
    q: this.text.trim() || undefined,
  })
  readonly narrowed = $derived(!!(this.kind || this.label || this.reason || this.text.trim()))

  /** Narrows the list, which begins with its first page again. */
  narrow(to: Partial<Pick<Choice, 'kind' | 'label' | 'reason' | 'text'>>) {
    Object.assign(this, to)
    this.skip = 0
  }

  showAll() {
    this.narrow({ kind: '', label: '', reason: '', text: '' })
  }

  /** Chooses a run or lets it go; a third one takes the place of the one that was chosen last. */
  toggle(run: Chosen) {
    const { id, started } = run
    if (this.chosen.some((r) => r.id === id)) this.drop(id)
    else this.chosen = [...this.chosen.slice(0, most - 1), { id, started }]
  }

  drop(id: string) {
    this.chosen = this.chosen.filter((r) => r.id !== id)
  }
}

export const runList = new Choice()

/** The path of a comparison: the earlier run is what the later one is compared with. */
export function comparison(runs: Chosen[]): string {
  const [a, b] = [...runs].sort((x, y) => Date.parse(x.started) - Date.parse(y.started))
  return `/runs/compare/${a!.id}/${b!.id}`
}
