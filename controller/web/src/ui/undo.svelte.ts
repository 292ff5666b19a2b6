// Deletion with undo: the item is hidden immediately and deleted when its toast disappears.
import { words } from '../text'
import { dismiss, toast } from './toasts.svelte'

/** How long a deletion can be undone, in milliseconds. */
const grace = 6000

const pending = new Map<string, () => void>()
let hidden = $state<string[]>([])

/** Whether an item is about to be deleted, so that lists hide it. */
export function isPendingDelete(key: string): boolean {
  return hidden.includes(key)
}

/**
 * Calls `commit` after a grace period in which a toast offers undo. `key` identifies the item, such as "preset/3". Closing
 * the page commits immediately, so `commit` must send a request with keepalive.
 */
export function deleteWithUndo(key: string, text: string, commit: () => Promise<unknown>) {
  const end = () => {
    clearTimeout(timer)
    dismiss(id)
    pending.delete(key)
    hidden = hidden.filter((k) => k !== key)
  }
  const now = () => {
    pending.delete(key)
    clearTimeout(timer)
    dismiss(id)
    // Hidden until the list has been refetched, so that it does not flash up.
    commit().finally(end)
  }
  const timer = setTimeout(now, grace)
  const id = toast('note', text, { action: { label: words.undo, run: end } })
  hidden = [...hidden, key]
  pending.set(key, now)
}

addEventListener('pagehide', () => pending.forEach((now) => now()))
