// Toasts: short messages about what happened, with an optional action such as undo.
export type Toast = {
  id: number
  kind: 'good' | 'bad' | 'note'
  text: string
  /** Lines below the text, such as the faults of fields. */
  details?: string[]
  action?: { label: string; run: () => void }
}

/** How long a toast is shown, in milliseconds; errors stay until dismissed. */
const stay = 6000

let next = 1
let toasts = $state<Toast[]>([])
const timers = new Map<number, ReturnType<typeof setTimeout>>()

/** The visible toasts, newest last. */
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

/** Shows a toast and returns its id. It replaces one with the same text, as two requests may have the same outcome. */
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
