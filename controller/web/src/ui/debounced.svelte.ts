import { untrack } from 'svelte'

/** A value that follows another after `delay` milliseconds without a change; immediately at first. */
export class Debounced<T> {
  now = $state.raw<T>()

  /** Create it during component initialisation. */
  constructor(value: () => T, delay: number) {
    $effect(() => {
      const next = value()
      const timer = setTimeout(() => (this.now = next), untrack(() => this.now) === undefined ? 0 : delay)
      return () => clearTimeout(timer)
    })
  }
}
