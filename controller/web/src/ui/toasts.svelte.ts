// Short words about what was done, and the way back from it.
export type Toast = {
  id: number
  kind: 'good' | 'bad' | 'note'
  text: string
  /** Lines below the text, such as the faults of fields. */
  details?: string[]
  action?: { label: string; run: () => void }
}

/** How long a toast stays, in milliseconds; those of failures stay until they are dismissed. */
const stay = 6000

let next = 1
let toasts = $state<Toast[]>([])
const timers = new Map<number, ReturnType<typeof setTimeout>>()

/** The toasts on screen, the newest last. */
export const shown = {
  get list() {
    return toasts
  },
}

export function dismiss(id: number) {
  clearTimeout(timers.get(id))
  timers.delete(id)
  toasts = toasts.filter((t) => t.id !== id)
}

/**
 * Shows a toast and returns its id. It takes the place of one that says the same: a stop and the quicker one that joins it
 * end with the same answer.
 */
export function toast(kind: Toast['kind'], text: string, more: Pick<Toast, 'details' | 'action'> = {}): number {
  if (!more.action) for (const same of toasts.filter((t) => t.text === text && !t.action)) dismiss(same.id)
  const id = next++
  toasts = [...toasts.slice(-3), { id, kind, text, ...more }]
  if (kind !== 'bad')
    timers.set(
      id,
      setTimeout(() => dismiss(id), stay),
    )
  return id
}
