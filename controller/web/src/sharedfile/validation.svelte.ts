// What the server says of something in an editor, asked again some time after every edit.
import { errorText } from '../errors'

/** How long the typing must rest before it is sent, in milliseconds. */
const rest = 600

/** Checks by `send`; `onreport` gets each answer while what was sent is still the same. */
export class Validation<R> {
  state = $state<'checking' | 'done' | 'failed'>('checking')
  /** Why it could not be checked. */
  failure = $state('')
  /** The last answer; it may be of an earlier state while `state` is checking. */
  report = $state.raw<R>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #request: AbortController | undefined

  constructor(
    readonly send: (signal: AbortSignal) => Promise<R>,
    readonly onreport: (report: R) => void = () => {},
  ) {}

  stop() {
    clearTimeout(this.#timer)
    this.#request?.abort()
  }

  /** Checks after `pause` milliseconds: when the edits rest, unless told otherwise. Call it after each. */
  later(pause = rest) {
    this.stop()
    this.state = 'checking'
    this.#timer = setTimeout(() => this.#ask(), pause)
  }

  now() {
    this.later(0)
  }

  async #ask() {
    const { signal } = (this.#request = new AbortController())
    try {
      const answer = await this.send(signal)
      if (signal.aborted) return
      this.report = answer
      this.state = 'done'
      this.onreport(answer)
    } catch (e) {
      if (signal.aborted) return
      this.state = 'failed'
      this.failure = errorText(e)
    }
  }
}
