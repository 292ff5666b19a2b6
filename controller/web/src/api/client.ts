// The only door to the controller: typed requests, and failures as one kind of error.
import { words } from '../text'
import type { components, operations, paths } from './schema.gen'

/** Schemas of the API by their names in its OpenAPI document. */
export type Schemas = components['schemas']

/** What a field of a request is wrong about, as RFC 9457 bodies of the controller list it. */
export type FieldError = { where: string; message: string; value?: string }

/** A request that failed. `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: FieldError[] = [],
    /** Why, as a word that the controller does not change; empty where something else answered. */
    readonly code = '',
    /** Seconds to wait before another try, from Retry-After. */
    readonly retryAfter?: number,
  ) {
    super(message)
  }
}

let signedOut = () => {}

/** Calls `listener` when the controller no longer knows this browser's session. */
export function onSignedOut(listener: () => void) {
  signedOut = listener
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** The paths that take a method. */
type Path<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths]

type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never

type Content<T> = T extends { content: infer C } ? C[keyof C] : undefined

/** What a success holds. */
type Answer<O> = O extends { responses: infer R } ? Content<R[Extract<keyof R, 200 | 201 | 202 | 204>]> : never

type Parameters<O> = O extends { parameters: infer P } ? Pick<P, keyof P & ('path' | 'query' | 'header')> : never

type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B | Blob }
  : O extends { requestBody?: { content: { 'application/json': infer B } } }
    ? { body?: B | Blob }
    : { body?: undefined }

/** What a request to a path carries, as an object. */
export type BodyOf<M extends Method, P extends Path<M>> = Exclude<NonNullable<Body<Operation<P, M>>['body']>, Blob>

/** The query of an operation, by its name in the OpenAPI document. */
export type QueryOf<O extends keyof operations> = NonNullable<operations[O]['parameters']['query']>

/** A request: its parameters, and a body as an object or as JSON in a Blob. */
type Request<O> = (Record<never, never> extends Parameters<O>
  ? { params?: Parameters<O> }
  : { params: Parameters<O> }) &
  Body<O> & { signal?: AbortSignal; keepalive?: boolean }

type Arguments<O> = Record<never, never> extends Request<O> ? [request?: Request<O>] : [request: Request<O>]

/** A request as the types above let none through that the operation does not take. */
type Loose = {
  params?: { path?: Record<string, unknown>; query?: Record<string, unknown>; header?: Record<string, string> }
  body?: unknown
  signal?: AbortSignal
  keepalive?: boolean
}

/** The address of a path, relative to the page's base: a proxy may have put the controller below a path of its own. */
function address(path: string, { path: parts = {}, query = {} }: NonNullable<Loose['params']> = {}): string {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const v of Array.isArray(value) ? value : [value])
      if (v !== undefined && v !== null) asked.append(name, String(v))
  }
  const to = '.' + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts[name])))
  return asked.size ? `${to}?${asked}` : to
}

async function send(method: Method, path: string, { params, body, signal, keepalive }: Loose = {}): Promise<unknown> {
  const headers: Record<string, string> = { ...params?.header }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const sent = body === undefined || body instanceof Blob ? body : JSON.stringify(body)
  try {
    const to = address(path, params)
    return await read(path, await fetch(to, { method: method.toUpperCase(), headers, body: sent, signal, keepalive }))
  } catch (error) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === 'AbortError')) throw error
    throw new ApiError(0, words.errors.unreachable)
  }
}

/** What an answer holds; throws an ApiError where it is a failure, or the page of something in between. */
async function read(path: string, response: Response): Promise<unknown> {
  if (!response.ok) throw await failure(path, response)
  if (response.status === 204) return undefined
  const type = response.headers.get('Content-Type') ?? ''
  if (type.startsWith('application/json')) return response.json()
  if (type.startsWith('text/plain')) return response.text()
  throw new ApiError(response.status, words.errors.between)
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
  const said = words.errors.codes[code]?.(document.baseURI) ?? problem.detail
  return new ApiError(status, said || words.errors.status(status), errors, code, wait)
}

/** Sends requests of a method to the paths that take it. */
const sender =
  <M extends Method>(method: M) =>
  async <P extends Path<M>>(path: P, ...[request]: Arguments<Operation<P, M>>) =>
    (await send(method, path, request as Loose | undefined)) as Answer<Operation<P, M>>

/** Sends typed requests and returns what the answer holds; every failure is thrown as an ApiError. */
export const api = {
  GET: sender('get'),
  POST: sender('post'),
  PUT: sender('put'),
  PATCH: sender('patch'),
  DELETE: sender('delete'),
}
