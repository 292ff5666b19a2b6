// The current time in milliseconds, updated every second while it is in use.
import { createSubscriber } from 'svelte/reactivity'

let now = Date.now()
const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    now = Date.now()
    update()
  }, 1000)
  return () => clearInterval(timer)
})

export const clock = {
  get now() {
    subscribe()
    return now
  },
}
