// One-off requests that change nothing: validation, tests, previews and reads outside the cache.
import { api, type BodyOf, type Schemas } from './client'

/** The timeout of connection tests, in seconds. */
const timeout = 30

export const validateURLs = (body: Blob, signal: AbortSignal) => api.POST('/api/urls/validate', { body, signal })
export const validateEvents = (content: string, signal?: AbortSignal) =>
  api.POST('/api/events/validate', { body: { content }, signal })
export const validateFunnel = (body: BodyOf<'post', '/api/funnels/validate'>, signal: AbortSignal) =>
  api.POST('/api/funnels/validate', { body, signal })
/** The request of the last backfill. */
export const lastBackfill = () => api.GET('/api/backfill/last')
export const preview = (body: Schemas['PreviewRequestBody']) => api.POST('/api/preview', { body })
export const testConnection = (body: Omit<Schemas['ConnectionRequestBody'], 'timeout'>) =>
  api.POST('/api/test-connection', { body: { ...body, timeout } })
/** Tests the given targets, or all. */
export const testTargets = async (ids?: number[]) =>
  (await api.POST('/api/targets/test', { body: { ids, timeout } })).results ?? []
export const probe = (body: Schemas['ProbeRequestBody'], signal: AbortSignal) =>
  api.POST('/api/targets/probe', { body, signal })
/** The export of everything that is saved. */
export const readSetup = () => api.GET('/api/setup')
// Reads past the cache.
export const readConfig = () => api.GET('/api/config')
export const readTargets = () => api.GET('/api/targets')
export const readPresets = () => api.GET('/api/presets')
