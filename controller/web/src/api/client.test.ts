import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError, onSignedOut } from './client'

/** Stubs fetch with a response and returns the mock. */
function answer(body: string, init: ResponseInit = { headers: { 'Content-Type': 'application/json' } }) {
  const asked = vi.fn(async (_to: string, _request: RequestInit) => new Response(body || null, init))
  vi.stubGlobal('fetch', asked)
  vi.stubGlobal('document', { baseURI: 'https://host.test/below/' })
  return asked
}

/** Returns the error of a failing request. */
async function failure(status: number, body: string, headers: Record<string, string> = {}) {
  answer(body, { status, headers })
  const error = await api.GET('/api/status').catch((e: unknown) => e)
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

afterEach(() => vi.unstubAllGlobals())

describe('a request', () => {
  it('is relative to the page, with its parameters escaped and lists repeated', async () => {
    const asked = answer('{}')
    await api.GET('/api/presets/{id}', { params: { path: { id: 'a/b ?' as never } } })
    await api.GET('/api/logs', { params: { query: { filter: ['a&b', 'c'], lines: 20, level: undefined } } })
    await api.GET('/api/status')
    expect(asked.mock.calls.map(([to]) => to)).toEqual([
      './api/presets/a%2Fb%20%3F',
      './api/logs?filter=a%26b&filter=c&lines=20',
      './api/status',
    ])
  })

  it('sends JSON from an object or a Blob, and no content type without a body', async () => {
    const asked = answer('{}')
    await api.PUT('/api/config', { params: { header: { 'If-Match': '"1"' } }, body: { config: { A: 1 } } })
    const ready = new Blob(['{"content":"x"}'])
    await api.POST('/api/urls/validate', { body: ready })
    await api.POST('/api/restart')
    const [put, blob, none] = asked.mock.calls.map(([, request]) => request)
    expect(put).toMatchObject({ method: 'PUT', body: '{"config":{"A":1}}' })
    expect(put?.headers).toEqual({ 'If-Match': '"1"', 'Content-Type': 'application/json' })
    expect(blob?.body).toBe(ready)
    expect(none?.headers).toEqual({})
  })
})

describe('an answer', () => {
  it('is JSON, text or nothing', async () => {
    answer('{"a":1}')
    expect(await api.GET('/api/status')).toEqual({ a: 1 })
    answer('https://a.test/', { headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
    expect(await api.GET('/api/urls/file')).toBe('https://a.test/')
    answer('', { status: 204 })
    expect(await api.DELETE('/api/session')).toBeUndefined()
  })

  it('from a proxy is a failure', async () => {
    answer('<html>Sign in to the proxy', { headers: { 'Content-Type': 'text/html' } })
    await expect(api.GET('/api/status')).rejects.toThrow('A proxy answered')
    expect((await failure(502, '<html>')).message).toContain('502')
  })
})

describe('a failure', () => {
  it('has a status, code, retry time and fields', async () => {
    const body = { detail: 'no', code: 'name_taken', errors: [{ location: 'name', message: 'is taken', value: 3 }] }
    const e = await failure(409, JSON.stringify(body), { 'Retry-After': '7' })
    expect(e).toMatchObject({ status: 409, message: 'no', code: 'name_taken', retryAfter: 7 })
    expect(e.errors).toEqual([{ where: 'name', message: 'is taken', value: '3' }])
  })

  it('with a known code has its own text, with the fix', async () => {
    const e = await failure(403, '{"detail":"x","code":"wrong_origin"}')
    expect(e.message).toContain('PUBLIC_URL=https://host.test/below')
    expect(e.message).not.toMatch(/below\/$/)
  })

  it('without a response has status 0; an abort stays an abort', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')))
    await expect(api.GET('/api/status')).rejects.toMatchObject({ status: 0 })
    vi.stubGlobal('fetch', () => Promise.reject(new DOMException('', 'AbortError')))
    await expect(api.GET('/api/status')).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('with 401 signs out, except of the session itself', async () => {
    const out = vi.fn()
    onSignedOut(out)
    await failure(401, '{}')
    expect(out).toHaveBeenCalledOnce()
    answer('{}', { status: 401 })
    await api.GET('/api/session').catch(() => {})
    expect(out).toHaveBeenCalledOnce()
  })
})
