// The only door to the controller: typed requests, and failures as one kind of error.
import createClient, { type Middleware } from 'openapi-fetch'
import { words } from '../words'
import type { components, paths } from './schema.gen'

/** Schemas of the API by their names in its OpenAPI document. */
export type Schemas = components['schemas']

/** What a field of a request is wrong about, as RFC 9457 bodies of the controller list it. */
export type FieldFault = { where: string; message: string; value?: string }

/** A request that failed. `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly faults: FieldFault[] = [],
    /** Seconds to wait before another try, from Retry-After. */
    readonly retryAfter?: number,
  ) {
    super(message)
  }

  /** The faults that the message does not say. */
  get others(): FieldFault[] {
    return this.faults.filter((f) => !this.message.includes(f.message))
  }
}

let signedOut = () => {}

/** Calls `listener` when the controller no longer knows this browser's session. */
export function onSignedOut(listener: () => void) {
  signedOut = listener
}

const failures: Middleware = {
  async onResponse({ response, request }) {
    if (response.ok) return
    const problem = (await response.json().catch(() => ({}))) as Schemas['Failure']
    const faults = (problem.errors ?? []).map((e) => ({
      where: e.location ?? '',
      message: e.message ?? '',
      value: e.value === undefined || e.value === null ? undefined : String(e.value),
    }))
    if (response.status === 401 && !request.url.endsWith('/api/session')) signedOut()
    const wait = Number(response.headers.get('Retry-After')) || undefined
    throw new ApiError(response.status, problem.detail || words.errors.status(response.status), faults, wait)
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return error
    return new ApiError(0, words.errors.unreachable)
  },
}

const client = createClient<paths>({ baseUrl: location.origin, credentials: 'same-origin' })
client.use(failures)

/** Sends typed requests; every failure is thrown as an ApiError. */
export const api = client

/** The data of an answer that did not fail. */
export function data<T>(answer: { data?: T }): T {
  return answer.data as T
}

/** The sentence for a person of anything thrown. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
