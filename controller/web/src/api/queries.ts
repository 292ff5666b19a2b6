// What is read from the controller: one query for each resource. The first part of a key is the resource, by which
// mutations.ts has it read again.
import { keepPreviousData } from '@tanstack/svelte-query'
import { testConnection } from './requests'
import { api, type QueryOf, type Schemas } from './client'
import { live } from './live.svelte'
import { keys } from '../text'

/** Asks a query for as long as a component shows what it reads. */
export { createQuery } from '@tanstack/svelte-query'

const query = <T>(queryKey: unknown[], queryFn: () => Promise<T>) => ({ queryKey, queryFn })

/** Asks again after `busy` milliseconds while `running` says so of the last answer, else after `idle`, or not at all. */
const polled =
  <T>(running: (data: T) => unknown, busy: number, idle: number | false = false) =>
  (q: { state: { data?: T } }) =>
    q.state.data !== undefined && running(q.state.data) ? busy : idle

/** The run that is on, or was last, as a part of keys: where it begins or ends, lists are others. */
const now = () => ({ run: live.status?.run?.id, ended: live.status?.run?.ended })

const byId = <T>(id: T) => ({ params: { path: { id } } })

export const configQuery = () => query(['config'], () => api.GET('/api/config'))

export const schemaQuery = () => ({
  ...query(['schema'], () => api.GET('/api/config/schema')),
  staleTime: Infinity,
})

/** What a restart would change, which shared files were edited by hand, and whether all is published. */
export const exchangeQuery = () => ({
  ...query(['exchange', now()], () => api.GET('/api/exchange')),
  // The controller tries again to publish by itself.
  refetchInterval: polled<Schemas['PendingChanges']>((pending) => !pending.published, 5_000),
  placeholderData: keepPreviousData,
})

export const targetsQuery = () => query(['targets'], () => api.GET('/api/targets'))

export const presetsQuery = () => query(['presets'], () => api.GET('/api/presets'))

export const urlsQuery = () =>
  query(['urls'], async () => {
    const [{ source }, content] = await Promise.all([
      api.GET('/api/urls', { params: { query: { limit: 0 } } }),
      api.GET('/api/urls/file'),
    ])
    return { source, content }
  })

export const eventsQuery = () => query(['events'], () => api.GET('/api/events'))

export const funnelsQuery = () => query(['funnels'], async () => (await api.GET('/api/funnels')).funnels ?? [])

export const funnelQuery = (id = 0) => ({
  ...query(['funnels', id], () => api.GET('/api/funnels/{id}', byId(id))),
  enabled: id > 0,
})

/** Where the pages lie that visitors see: whether they are the built-in ones, the first of them, and SITE_URL. */
export const pagesQuery = (enabled: boolean) => ({
  ...query(['funnels', 'pages'], async () => {
    const first = { params: { query: { limit: 1 } } }
    const [{ source, urls }, saved] = await Promise.all([api.GET('/api/urls', first), api.GET('/api/config')])
    return { source, first: urls?.[0]?.url, siteURL: saved.config?.[keys.host] }
  }),
  enabled,
})

export const jobsQuery = () => ({
  ...query(['backfill', 'jobs'], async () => (await api.GET('/api/backfill/status')).runs ?? []),
  // The snapshot of a job that goes on is a second old at most.
  refetchInterval: polled<Schemas['JobStatus'][]>((jobs) => jobs.some((j) => j.state !== 'exited'), 1_000, 10_000),
})

/** The end of a job's log; read again and again while it is `running`. */
export const jobLogQuery = (job: string, running: boolean) => ({
  ...query(['backfill', 'log', job], async () => {
    return (await api.GET('/api/logs', { params: { query: { job, lines: 1000 } } })).lines ?? []
  }),
  refetchInterval: running && (2_000 as const),
})

export const runsQuery = (filter: QueryOf<'get-api-runs'>) => ({
  ...query(['runs', filter, now()], () => api.GET('/api/runs', { params: { query: filter } })),
  placeholderData: keepPreviousData,
})

export const runQuery = (id = '') => ({
  ...query(['runs', id], () => api.GET('/api/runs/{id}', byId(id))),
  enabled: id !== '',
  // What a search or a job has found so far is in its record; of live traffic the stream tells.
  refetchInterval: polled<Schemas['HistoryRecord']>((run) => run.kind !== 'live' && !run.ended, 2_000),
})

export const intervalsQuery = (id: string, running = false) => ({
  ...query(['runs', id, 'minutes'], () => api.GET('/api/runs/{id}/minutes', byId(id))),
  refetchInterval: running && (30_000 as const),
})

export const runComparisonQuery = (a: string, b: string) =>
  query(['runs', 'compare', a, b], () => api.GET('/api/runs/compare', { params: { query: { a, b } } }))

export type Benchmark = Schemas['ReportBenchmark']

/** Whether a reconciliation is under way. */
export const isReconciling = (r?: Schemas['Reconciliation']) =>
  r?.state === 'following' || r?.state === 'waiting'

export const reconciliationQuery = (id: string) => ({
  ...query(['runs', id, 'reconcile'], () => api.GET('/api/runs/{id}/reconcile', byId(id))),
  refetchInterval: polled(isReconciling, 1_000),
})

export const benchmarksQuery = () => ({
  ...query(['reports', 'benchmarks'], async () => (await api.GET('/api/report-benchmarks')).benchmarks ?? []),
  refetchInterval: polled<Schemas['BenchmarkSummary'][]>(
    (all) => all.some((b) => b.state === 'running'),
    2_000,
    15_000,
  ),
})

export const benchmarkQuery = (id: string) => ({
  ...query(['reports', 'benchmark', id], () => api.GET('/api/report-benchmarks/{id}', byId(id))),
  refetchInterval: polled<Benchmark>((b) => b.state === 'running', 1_000),
})

/** The comparison with the baseline of the site; a failure of status 409 where there is none. */
export const benchmarkComparisonQuery = (id: string, enabled: boolean) => ({
  ...query(['reports', 'comparison', id], () => api.GET('/api/report-benchmarks/{id}/comparison', byId(id))),
  enabled,
})

export const reportsQuery = () => ({
  ...query(['reports', 'catalogue'], () => api.GET('/api/reports')),
  staleTime: Infinity,
})

export const reportHistoryQuery = (of: QueryOf<'get-api-report-history'>) =>
  query(['reports', 'history', of], async () => {
    return (await api.GET('/api/report-history', { params: { query: of } })).points ?? []
  })

/** The rate over time that a configuration plans, where a setting that is missing has its default; off without one. */
export function profileQuery(values?: Record<string, string>) {
  const config = [keys.profile, keys.curve, keys.rate, keys.zone].map((key) => [key, values?.[key] ?? ''])
  return {
    ...query(['profile', config], () => api.POST('/api/profile', { body: { config: Object.fromEntries(config) } })),
    enabled: values !== undefined,
    placeholderData: keepPreviousData,
  }
}

/** What settings come to, by the first visits of their plan; nothing is asked without settings. */
export const estimateQuery = (config?: Record<string, string>) => ({
  ...query(['estimate', config], () => api.POST('/api/estimate', { body: { config } })),
  enabled: config !== undefined,
  placeholderData: keepPreviousData,
})

/** A test of a connection that is of this visit to a page alone. */
export const connectionQuery = (of: Parameters<typeof testConnection>[0]) => ({
  ...query(['connection'], () => testConnection(of)),
  gcTime: 0,
  staleTime: Infinity,
})
