// Server-side validation of the content of an editor, repeated after every edit.
import { errorText } from '../errors'

/** How long typing must pause before a request, in milliseconds. */
const debounce = 600

/** Validates with `send`; `onresult` gets each result unless the content has changed meanwhile. */
export class Validation<R> {
  state = $state<'checking' | 'done' | 'failed'>('checking')
  /** Why the request failed. */
  failure = $state('')
  /** The latest result; outdated while `state` is checking. */
  result = $state.raw<R>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #request: AbortController | undefined

  constructor(
    readonly send: (signal: AbortSignal) => Promise<R>,
    readonly onresult: (result: R) => void = () => {},
  ) {}

  stop() {
    clearTimeout(this.#timer)
    this.#request?.abort()
  }

  /** Validates after a pause in typing, or after `delay` milliseconds. Call it after every edit. */
  schedule(delay = debounce) {
    this.stop()
    this.state = 'checking'
    this.#timer = setTimeout(() => this.#send(), delay)
  }

  run() {
    this.schedule(0)
  }

  async #send() {
    const { signal } = (this.#request = new AbortController())
    try {
      const result = await this.send(signal)
      if (signal.aborted) return
      this.result = result
      this.state = 'done'
      this.onresult(result)
    } catch (e) {
      if (signal.aborted) return
      this.state = 'failed'
      this.failure = errorText(e)
    }
  }
}
