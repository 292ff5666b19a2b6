import { untrack } from 'svelte'

/** A value that is followed once it has rested for `pause` milliseconds, while somebody types; the first is taken at once. */
export class Debounced<T> {
  now = $state.raw<T>()

  /** Make it while a component is set up. */
  constructor(value: () => T, pause: number) {
    $effect(() => {
      const next = value()
      const timer = setTimeout(() => (this.now = next), untrack(() => this.now) === undefined ? 0 : pause)
      return () => clearTimeout(timer)
    })
  }
}
