// Deleting with a way back: what is deleted is hidden at once and really goes when the toast has gone.
import { words } from '../text'
import { dismiss, toast } from './toasts.svelte'

/** How long there is to change one's mind, in milliseconds. */
const grace = 6000

const pending = new Map<string, () => void>()
let hidden = $state<string[]>([])

/** Tells whether the thing with this key waits to be deleted, so that lists leave it out. */
export function isPendingDelete(key: string): boolean {
  return hidden.includes(key)
}

/**
 * Deletes by `commit` after a grace in which the toast `text` offers to undo. `key` names the thing among all, such as
 * "preset/3". Leaving the page commits at once, so `commit` must send a request that outlives it (keepalive).
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
    // It stays hidden until the list is read again, so that it does not flash up.
    commit().finally(end)
  }
  const timer = setTimeout(now, grace)
  const id = toast('note', text, { action: { label: words.undo, run: end } })
  hidden = [...hidden, key]
  pending.set(key, now)
}

addEventListener('pagehide', () => pending.forEach((now) => now()))
