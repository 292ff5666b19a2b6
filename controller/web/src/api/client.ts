// The client of the controller's API: typed requests, and every failure as an ApiError.
import { words } from '../text'
import type { components, operations, paths } from './schema.gen'

/** The API's schemas by their names in its OpenAPI document. */
export type Schemas = components['schemas']

/** An invalid field of a request, from the RFC 9457 body of a failure. */
export type FieldError = { where: string; message: string; value?: string }

/** A failed request. `status` is 0 if there was no response. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: FieldError[] = [],
    /** The controller's stable error code; empty if something else answered. */
    readonly code = '',
    /** Seconds to wait before a retry, from Retry-After. */
    readonly retryAfter?: number,
  ) {
    super(message)
  }
}

let signedOut = () => {}

/** Sets the function to call when this browser's session has ended. */
export function onSignedOut(listener: () => void) {
  signedOut = listener
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** The paths with a method. */
type Path<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths]

type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never

type Content<T> = T extends { content: infer C } ? C[keyof C] : undefined

/** The body of a success. */
type Answer<O> = O extends { responses: infer R } ? Content<R[Extract<keyof R, 200 | 201 | 202 | 204>]> : never

type Parameters<O> = O extends { parameters: infer P } ? Pick<P, keyof P & ('path' | 'query' | 'header')> : never

type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B | Blob }
  : O extends { requestBody?: { content: { 'application/json': infer B } } }
    ? { body?: B | Blob }
    : { body?: undefined }

/** The body of a request, as an object. */
export type BodyOf<M extends Method, P extends Path<M>> = Exclude<NonNullable<Body<Operation<P, M>>['body']>, Blob>

/** The query of an operation by its id. */
export type QueryOf<O extends keyof operations> = NonNullable<operations[O]['parameters']['query']>

/** A request: its parameters, and a body as an object or as a Blob of JSON. */
type Request<O> = (Record<never, never> extends Parameters<O>
  ? { params?: Parameters<O> }
  : { params: Parameters<O> }) &
  Body<O> & { signal?: AbortSignal; keepalive?: boolean }

type Arguments<O> = Record<never, never> extends Request<O> ? [request?: Request<O>] : [request: Request<O>]

/** An untyped request; the types above admit only those that the operation takes. */
type Loose = {
  params?: { path?: Record<string, unknown>; query?: Record<string, unknown>; header?: Record<string, string> }
  body?: unknown
  signal?: AbortSignal
  keepalive?: boolean
}

/** The URL of a path, relative to the page: a proxy may serve the controller below a subpath. */
function urlOf(path: string, { path: parts = {}, query = {} }: NonNullable<Loose['params']> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const v of Array.isArray(value) ? value : [value])
      if (v !== undefined && v !== null) search.append(name, String(v))
  }
  const to = '.' + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts[name])))
  return search.size ? `${to}?${search}` : to
}

async function send(method: Method, path: string, { params, body, signal, keepalive }: Loose = {}): Promise<unknown> {
  const headers: Record<string, string> = { ...params?.header }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const json = body === undefined || body instanceof Blob ? body : JSON.stringify(body)
  try {
    const url = urlOf(path, params)
    return await read(path, await fetch(url, { method: method.toUpperCase(), headers, body: json, signal, keepalive }))
  } catch (error) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === 'AbortError')) throw error
    throw new ApiError(0, 'The controller is unreachable. Is it running?')
  }
}

/** The body of a response; throws an ApiError if it is a failure or the page of a proxy. */
async function read(path: string, response: Response): Promise<unknown> {
  if (!response.ok) throw await failure(path, response)
  if (response.status === 204) return undefined
  const type = response.headers.get('Content-Type') ?? ''
  if (type.startsWith('application/json')) return response.json()
  if (type.startsWith('text/plain')) return response.text()
  throw new ApiError(response.status, 'A proxy answered instead of the controller. Reload the page.')
}

async function failure(path: string, response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Schemas['Failure']>
  const errors = (problem.errors ?? []).map((e) => ({
    where: e.location ?? '',
    message: e.message ?? '',
    value: e.value === undefined || e.value === null ? undefined : String(e.value),
  }))
  if (response.status === 401 && path !== '/api/session') signedOut()
  const wait = Number(response.headers.get('Retry-After')) || undefined
  const { status } = response
  const code = problem.code ?? ''
  const text = words.errors.codes[code]?.(document.baseURI) ?? problem.detail
  return new ApiError(status, text || `The controller returned status ${status}.`, errors, code, wait)
}

/** Returns the request function of a method. */
const sender =
  <M extends Method>(method: M) =>
  async <P extends Path<M>>(path: P, ...[request]: Arguments<Operation<P, M>>) =>
    (await send(method, path, request as Loose | undefined)) as Answer<Operation<P, M>>

/** Sends typed requests and returns the body of the response; throws an ApiError on every failure. */
export const api = {
  GET: sender('get'),
  POST: sender('post'),
  PUT: sender('put'),
  PATCH: sender('patch'),
  DELETE: sender('delete'),
}
