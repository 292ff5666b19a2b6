// What changes something at the controller. Each has read again what depends on it, here and nowhere else.
import { queryClient } from './queryClient'
import { api, type BodyOf, type Schemas } from './client'

type Resource = 'config' | 'targets' | 'presets' | 'urls' | 'events' | 'funnels' | 'backfill' | 'runs' | 'reports'

/** What a change of a resource changes beside it. What a run does not know yet is told by `exchange`. */
const dependents: Partial<Record<Resource, string[]>> = {
  config: ['exchange'],
  targets: ['exchange'],
  urls: ['exchange'],
  events: ['exchange', 'config'],
  funnels: ['exchange'],
  runs: ['exchange'],
}

const again = (key: string) => queryClient.invalidateQueries({ queryKey: [key] })

/** Has a resource and what depends on it read again; waits for the resource alone. */
function refresh(resource: Resource) {
  for (const key of dependents[resource] ?? []) void again(key)
  return again(resource)
}

/** Waits for a request, and until what it changed was read again. A failure may come of a change that somebody else made. */
async function change<T>(resource: Resource, request: Promise<T>): Promise<T> {
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
/** Outlives the page: a deletion may be sent when it is left. */
const dying = <T>(id: T) => ({ ...byId(id), keepalive: true })
const version = (revision: number) => ({ 'If-Match': `"${revision}"` })

// The configuration. Its answer is the new one.

async function saved<S extends Schemas['ConfigBody']>(request: Promise<S>): Promise<S> {
  try {
    const answer = await request
    queryClient.setQueryData(['config'], answer)
    return answer
  } finally {
    void again('exchange')
  }
}

/** Saves the configuration as the only one; refused with 412 where it is no longer of the revision that was read. */
export const saveConfig = (config: Record<string, unknown>, revision: number) =>
  saved(api.PUT('/api/config', { params: { header: version(revision) }, body: { config } }))

/** Reads the configuration again, as where somebody else has changed it. */
export const refetchConfig = () => again('config')

/** The values of a configuration that somebody set. */
export const explicitValues = ({ set, config }: Schemas['ConfigBody']) =>
  Object.fromEntries((set ?? []).map((key) => [key, config[key]]))

/** Lays values over what is saved. */
export const mergeConfig = async (values: Record<string, unknown>) =>
  saved(api.PUT('/api/config', { body: { config: { ...explicitValues(await api.GET('/api/config')), ...values } } }))

/** Lays a preset over the configuration; returns that of before, and the new one. */
export async function loadPreset(id: string, withTargets: boolean) {
  const before = await api.GET('/api/config')
  const params = { path: { id }, header: version(before.revision) }
  const after = await saved(api.POST('/api/presets/{id}/load', { params }))
  if (withTargets) await again('targets')
  return { before, after }
}

/** Takes files that were edited by hand over, or overwrites them. Any page may show what was taken over. */
export async function resolveEdits(body: BodyOf<'post', '/api/exchange/resolve'>) {
  await api.POST('/api/exchange/resolve', { body })
  await queryClient.invalidateQueries()
}

/** Puts a whole set-up in the place of everything that is saved. */
export async function replaceSetup(setup: Schemas['SetupExported']) {
  await api.PUT('/api/setup', { body: setup as unknown as Record<string, unknown> })
  await queryClient.invalidateQueries()
}

// Runs.

async function controlled<T>(request: Promise<T>): Promise<T> {
  return request.finally(() => void refresh('runs'))
}
export const start = (body: Schemas['StartRequestBody'] = {}) => controlled(api.POST('/api/start', { body }))
export const stop = (now = false) => api.POST('/api/stop', now ? { body: { mode: 'now' } } : {})
export const restart = () => controlled(api.POST('/api/restart'))
export const heal = () => api.POST('/api/heal')
/** Restarts the generator with what is saved and waits until it runs. */
export const apply = () => controlled(api.POST('/api/config/apply', {}))
export const steer = (body: Schemas['ControlRequestBody']) => api.POST('/api/control', { body })
/** Begins a run again as it was; `instead` ends the one that is on. */
export const rerun = (id: string, instead: boolean) =>
  controlled(api.POST('/api/runs/{id}/rerun', { ...byId(id), body: { restart_if_running: instead } }))
export const describeRun = (id: string, body: Schemas['UpdateRunRequestBody']) =>
  change('runs', api.PATCH('/api/runs/{id}', { ...byId(id), body }))
export const deleteRun = (id: string) => change('runs', api.DELETE('/api/runs/{id}', byId(id)))
export const restoreRun = (id: string) => change('runs', api.POST('/api/runs/{id}/restore', byId(id)))
export const reconcile = (id: string) => change('runs', api.POST('/api/runs/{id}/reconcile', byId(id)))
export const cancelReconciliation = (id: string) => change('runs', api.DELETE('/api/runs/{id}/reconcile', byId(id)))
export const annotate = (id: string) => api.POST('/api/runs/{id}/annotate', byId(id))

// Presets and targets.

export const createPreset = (body: Schemas['PresetRequestBody']) =>
  change('presets', api.POST('/api/presets', { body }))
export const updatePreset = (id: number, body: Schemas['PresetUpdateBody']) =>
  change('presets', api.PUT('/api/presets/{id}', { ...byId(id), body }))
export const deletePreset = (id: number) => change('presets', api.DELETE('/api/presets/{id}', dying(id)))

/** Saves a target; a new one without an id. */
export const saveTarget = (id: number | undefined, body: BodyOf<'post', '/api/targets'>) =>
  change(
    'targets',
    id === undefined ? api.POST('/api/targets', { body }) : api.PUT('/api/targets/{id}', { ...byId(id), body }),
  )
export const deleteTarget = (id: number) => change('targets', api.DELETE('/api/targets/{id}', dying(id)))
export const routeTargets = (body: Schemas['RoutingRequestBody']) =>
  change('targets', api.PUT('/api/targets/routing', { body }))

// Shared files. What was sent is what is saved now; to wait for large ones to be read again would only take time.

export async function saveURLs(content: string) {
  const { validation } = await api.POST('/api/urls', { body: { content } }).finally(() => void refresh('urls'))
  queryClient.setQueryData(['urls'], { source: 'custom', content })
  return validation.url_count
}
export const resetURLs = () => change('urls', api.DELETE('/api/urls'))
export const saveEvents = (content: string) =>
  api.POST('/api/events', { body: { content } }).finally(() => void refresh('events'))
export const resetEvents = () => change('events', api.DELETE('/api/events'))

/** Saves a funnel; a new one without an id. */
export const saveFunnel = (id: number | undefined, body: BodyOf<'post', '/api/funnels'>) =>
  change(
    'funnels',
    id === undefined ? api.POST('/api/funnels', { body }) : api.PUT('/api/funnels/{id}', { ...byId(id), body }),
  )
export const deleteFunnel = (id: number) => change('funnels', api.DELETE('/api/funnels/{id}', dying(id)))
/** Gives each funnel its place as its priority; the list shows the new order at once. */
export async function orderFunnels(all: Schemas['FunnelSummary'][], ids: number[]) {
  const placed = ids.map((id, priority) => ({ ...all.find((f) => f.id === id)!, priority }))
  const moved = placed.filter((f) => all.find((old) => old.id === f.id)!.priority !== f.priority)
  queryClient.setQueryData(['funnels'], placed)
  const send = async () => {
    for (const { id, priority } of moved) await api.PUT('/api/funnels/{id}', { ...byId(id), body: { priority } })
  }
  await change('funnels', send())
}

// Backfills and benchmarks of reports.

export const startBackfill = (body: Record<string, string>) =>
  change('backfill', api.POST('/api/backfill/run', { body }))
export const cancelJob = (run_id: string) => change('backfill', api.POST('/api/backfill/cancel', { body: { run_id } }))
export const resumeJob = (id: string) => change('backfill', api.POST('/api/backfill/{id}/resume', byId(id)))
export const settleJob = (id: string) => change('backfill', api.POST('/api/backfill/{id}/settle', byId(id)))
export const cleanUpJobs = () => change('backfill', api.POST('/api/backfill/cleanup'))

export const startBenchmark = (body: Schemas['BenchmarkRequestBody']) =>
  change('reports', api.POST('/api/report-benchmarks', { body }))
/** Ends a benchmark that is under way, deletes one that has ended. */
export const deleteBenchmark = (id: string) => change('reports', api.DELETE('/api/report-benchmarks/{id}', dying(id)))
export const markBaseline = (id: string, baseline: boolean) =>
  change('reports', api.POST('/api/report-benchmarks/{id}/baseline', { ...byId(id), body: { baseline } }))
