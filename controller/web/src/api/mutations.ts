// Requests that change something. Each refetches the queries that depend on the change, here and nowhere else.
import { queryClient } from './queryClient'
import { api, type BodyOf, type Schemas } from './client'

type Resource = 'config' | 'targets' | 'presets' | 'urls' | 'events' | 'funnels' | 'backfill' | 'runs' | 'reports'

/** Queries that also depend on a resource; `exchange` lists the changes that a run has not applied yet. */
const dependents: Partial<Record<Resource, string[]>> = {
  config: ['exchange'],
  targets: ['exchange'],
  urls: ['exchange'],
  events: ['exchange', 'config'],
  funnels: ['exchange'],
  runs: ['exchange'],
}

const invalidate = (key: string) => queryClient.invalidateQueries({ queryKey: [key] })

/** Refetches a resource and its dependents; waits for the resource only. */
function refresh(resource: Resource) {
  for (const key of dependents[resource] ?? []) void invalidate(key)
  return invalidate(resource)
}

/** Waits for a request and the refetch; refetches after a failure too, as someone else's change may be the cause. */
async function mutate<T>(resource: Resource, request: Promise<T>): Promise<T> {
  try {
    const answer = await request
    await refresh(resource)
    return answer
  } catch (e) {
    void refresh(resource)
    throw e
  }
}

const byId = <T>(id: T) => ({ params: { path: { id } } })
/** With keepalive: a deletion may be sent when the page is closed. */
const byIdKeepAlive = <T>(id: T) => ({ ...byId(id), keepalive: true })
const ifMatch = (revision: number) => ({ 'If-Match': `"${revision}"` })

// Configuration. Each answer is the new configuration.

async function saved<S extends Schemas['ConfigBody']>(request: Promise<S>): Promise<S> {
  try {
    const answer = await request
    queryClient.setQueryData(['config'], answer)
    return answer
  } finally {
    void invalidate('exchange')
  }
}

/** Saves the configuration; fails with 412 if it has changed since `revision` was read. */
export const saveConfig = (config: Record<string, unknown>, revision: number) =>
  saved(api.PUT('/api/config', { params: { header: ifMatch(revision) }, body: { config } }))

/** Refetches the configuration, for example after someone else changed it. */
export const refetchConfig = () => invalidate('config')

/** The explicitly set values of a configuration. */
export const explicitValues = ({ set, config }: Schemas['ConfigBody']) =>
  Object.fromEntries((set ?? []).map((key) => [key, config[key]]))

/** Merges values into the saved configuration. */
export const mergeConfig = async (values: Record<string, unknown>) =>
  saved(api.PUT('/api/config', { body: { config: { ...explicitValues(await api.GET('/api/config')), ...values } } }))

/** Loads a preset; returns the configuration before and after. */
export async function loadPreset(id: string, withTargets: boolean) {
  const before = await api.GET('/api/config')
  const params = { path: { id }, header: ifMatch(before.revision) }
  const after = await saved(api.POST('/api/presets/{id}/load', { params }))
  if (withTargets) await invalidate('targets')
  return { before, after }
}

/** Imports or overwrites manually edited files. Any page may show them, so everything is refetched. */
export async function resolveEdits(body: BodyOf<'post', '/api/exchange/resolve'>) {
  await api.POST('/api/exchange/resolve', { body })
  await queryClient.invalidateQueries()
}

/** Replaces everything that is saved. */
export async function replaceSetup(setup: Schemas['SetupExported']) {
  await api.PUT('/api/setup', { body: setup as unknown as Record<string, unknown> })
  await queryClient.invalidateQueries()
}

// Runs.

const withRuns = <T>(request: Promise<T>) => request.finally(() => void refresh('runs'))
export const start = (body: Schemas['StartRequestBody'] = {}) => withRuns(api.POST('/api/start', { body }))
export const stop = (now = false) => api.POST('/api/stop', now ? { body: { mode: 'now' } } : {})
export const restart = () => withRuns(api.POST('/api/restart'))
export const heal = () => api.POST('/api/heal')
/** Restarts the generator with the saved changes and waits until it runs. */
export const apply = () => withRuns(api.POST('/api/config/apply', {}))
export const steer = (body: Schemas['ControlRequestBody']) => api.POST('/api/control', { body })
/** Reruns a run; `stopCurrent` stops the current one first. */
export const rerun = (id: string, stopCurrent: boolean) =>
  withRuns(api.POST('/api/runs/{id}/rerun', { ...byId(id), body: { restart_if_running: stopCurrent } }))
export const describeRun = (id: string, body: Schemas['UpdateRunRequestBody']) =>
  mutate('runs', api.PATCH('/api/runs/{id}', { ...byId(id), body }))
export const deleteRun = (id: string) => mutate('runs', api.DELETE('/api/runs/{id}', byId(id)))
export const restoreRun = (id: string) => mutate('runs', api.POST('/api/runs/{id}/restore', byId(id)))
export const reconcile = (id: string) => mutate('runs', api.POST('/api/runs/{id}/reconcile', byId(id)))
export const cancelReconciliation = (id: string) => mutate('runs', api.DELETE('/api/runs/{id}/reconcile', byId(id)))
export const annotate = (id: string) => api.POST('/api/runs/{id}/annotate', byId(id))

// Presets and targets.

export const createPreset = (body: Schemas['SetupPresetInput']) => mutate('presets', api.POST('/api/presets', { body }))
export const updatePreset = (id: number, body: Schemas['SetupPresetInput']) =>
  mutate('presets', api.PUT('/api/presets/{id}', { ...byId(id), body }))
export const deletePreset = (id: number) => mutate('presets', api.DELETE('/api/presets/{id}', byIdKeepAlive(id)))

/** Saves a target; creates one without an id. */
export const saveTarget = (id: number | undefined, body: BodyOf<'post', '/api/targets'>) =>
  mutate(
    'targets',
    id === undefined ? api.POST('/api/targets', { body }) : api.PUT('/api/targets/{id}', { ...byId(id), body }),
  )
export const deleteTarget = (id: number) => mutate('targets', api.DELETE('/api/targets/{id}', byIdKeepAlive(id)))
export const routeTargets = (body: Schemas['RoutingRequestBody']) =>
  mutate('targets', api.PUT('/api/targets/routing', { body }))

// Shared files. What was sent is now saved, so there is no need to wait for a large file to be read again.

export async function saveURLs(content: string) {
  const { validation } = await api.POST('/api/urls', { body: { content } }).finally(() => void refresh('urls'))
  queryClient.setQueryData(['urls'], { source: 'custom', content })
  return validation.url_count
}
export const resetURLs = () => mutate('urls', api.DELETE('/api/urls'))
export const saveEvents = (content: string) =>
  api.POST('/api/events', { body: { content } }).finally(() => void refresh('events'))
export const resetEvents = () => mutate('events', api.DELETE('/api/events'))

/** Saves a funnel; creates one without an id. */
export const saveFunnel = (id: number | undefined, body: BodyOf<'post', '/api/funnels'>) =>
  mutate(
    'funnels',
    id === undefined ? api.POST('/api/funnels', { body }) : api.PUT('/api/funnels/{id}', { ...byId(id), body }),
  )
export const deleteFunnel = (id: number) => mutate('funnels', api.DELETE('/api/funnels/{id}', byIdKeepAlive(id)))
/** Sets each funnel's priority to its position; the list shows the new order immediately. */
export async function orderFunnels(all: Schemas['FunnelSummary'][], ids: number[]) {
  const ordered = ids.map((id, priority) => ({ ...all.find((f) => f.id === id)!, priority }))
  const moved = ordered.filter((f) => all.find((old) => old.id === f.id)!.priority !== f.priority)
  queryClient.setQueryData(['funnels'], ordered)
  const send = async () => {
    for (const { id, priority } of moved) await api.PUT('/api/funnels/{id}', { ...byId(id), body: { priority } })
  }
  await mutate('funnels', send())
}

// Backfills and API benchmarks.

export const startBackfill = (body: Record<string, string>) =>
  mutate('backfill', api.POST('/api/backfill/run', { body }))
export const cancelJob = (run_id: string) => mutate('backfill', api.POST('/api/backfill/cancel', { body: { run_id } }))
export const resumeJob = (id: string) => mutate('backfill', api.POST('/api/backfill/{id}/resume', byId(id)))
export const settleJob = (id: string) => mutate('backfill', api.POST('/api/backfill/{id}/settle', byId(id)))
export const cleanUpJobs = () => mutate('backfill', api.POST('/api/backfill/cleanup'))

export const startBenchmark = (body: Schemas['BenchmarkOptions']) =>
  mutate('reports', api.POST('/api/benchmarks', { body }))
/** Cancels a benchmark that is running, deletes one that is not. */
export const deleteBenchmark = (id: string) => mutate('reports', api.DELETE('/api/benchmarks/{id}', byIdKeepAlive(id)))
export const markBaseline = (id: string, baseline: boolean) =>
  mutate('reports', api.POST('/api/benchmarks/{id}/baseline', { ...byId(id), body: { baseline } }))
