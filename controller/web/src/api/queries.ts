// Queries, one per resource. The first part of a key is the resource, by which mutations.ts refetches it.
import { keepPreviousData } from '@tanstack/svelte-query'
import { testConnection } from './requests'
import { api, type QueryOf, type Schemas } from './client'
import { live } from './live.svelte'
import { keys } from '../text'

export { createQuery } from '@tanstack/svelte-query'

type Fetch<T> = (context: { signal: AbortSignal }) => Promise<T>
const query = <T, O extends object>(queryKey: unknown[], queryFn: Fetch<T>, options = {} as O) => ({
  queryKey,
  queryFn,
  ...options,
})

type Result<T> = { data: T | undefined; isPending: boolean; error: unknown; refetch: () => unknown }

/** Several queries as one: it has data once all have. */
export const together = <T extends unknown[]>(...all: { [K in keyof T]: Result<T[K]> }): Result<T> => ({
  get data() {
    return all.every((q) => q.data !== undefined) ? (all.map((q) => q.data) as T) : undefined
  },
  get isPending() {
    return all.some((q) => q.isPending) && !this.error
  },
  get error() {
    return all.find((q) => q.error)?.error
  },
  refetch: () => all.forEach((q) => q.refetch()),
})

/** Refetches after `busy` milliseconds while `isBusy` is true of the last answer, else after `idle`, or never. */
const poll =
  <T>(isBusy: (data: T) => unknown, busy: number, idle: number | false = false) =>
  (q: { state: { data?: T } }) =>
    q.state.data !== undefined && isBusy(q.state.data) ? busy : idle

/** Part of keys that change when a run starts or ends. */
const currentRun = () => ({ run: live.status?.run?.id, ended: live.status?.run?.ended })

const byId = <T>(id: T) => ({ params: { path: { id } } })

export const configQuery = () => query(['config'], () => api.GET('/api/config'))

export const schemaQuery = () => query(['schema'], () => api.GET('/api/config/schema'), { staleTime: Infinity })

/** Changes that need a restart, manually edited shared files, and whether everything is published. */
export const exchangeQuery = () =>
  query(['exchange', currentRun()], () => api.GET('/api/exchange'), {
    // The controller retries publishing.
    refetchInterval: poll<Schemas['PendingChanges']>((pending) => !pending.published, 5_000),
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

export const funnelQuery = (id = 0) =>
  query(['funnels', id], () => api.GET('/api/funnels/{id}', byId(id)), { enabled: id > 0 })

/** Which pages visitors see: the source of the list, its first page, and SITE_URL. */
export const pagesQuery = (enabled: boolean) =>
  query(
    ['funnels', 'pages'],
    async () => {
      const first = { params: { query: { limit: 1 } } }
      const [{ source, urls }, saved] = await Promise.all([api.GET('/api/urls', first), api.GET('/api/config')])
      return { source, first: urls?.[0]?.url, siteURL: saved.config?.[keys.host] }
    },
    { enabled },
  )

export const jobsQuery = () =>
  query(['backfill', 'jobs'], async () => (await api.GET('/api/backfill/status')).runs ?? [], {
    // The snapshot of an active job is at most a second old.
    refetchInterval: poll<Schemas['JobStatus'][]>((jobs) => jobs.some((j) => j.state !== 'exited'), 1_000, 10_000),
  })

/** The end of a job's log, polled while it is `running`. */
export const jobLogQuery = (job: string, running: boolean) =>
  query(
    ['backfill', 'log', job],
    async () => (await api.GET('/api/logs', { params: { query: { job, lines: 1000 } } })).lines ?? [],
    { refetchInterval: running && (2_000 as const) },
  )

export const runsQuery = (filter: QueryOf<'get-api-runs'>) =>
  query(['runs', filter, currentRun()], () => api.GET('/api/runs', { params: { query: filter } }), {
    placeholderData: keepPreviousData,
  })

export const runQuery = (id = '') =>
  query(['runs', id], () => api.GET('/api/runs/{id}', byId(id)), {
    enabled: id !== '',
    // Progress of a search or a job is in its summary; live runs are streamed.
    refetchInterval: poll<Schemas['HistoryRecord']>((run) => run.kind !== 'live' && !run.ended, 2_000),
  })

export const intervalsQuery = (id: string, running = false) =>
  query(['runs', id, 'minutes'], () => api.GET('/api/runs/{id}/minutes', byId(id)), {
    refetchInterval: running && (30_000 as const),
  })

export const runComparisonQuery = (a: string, b: string) =>
  query(['runs', 'compare', a, b], () => api.GET('/api/runs/compare', { params: { query: { a, b } } }))

export type Benchmark = Schemas['ReportBenchmark']

/** Whether a reconciliation is in progress. */
export const isReconciling = (r?: Schemas['Reconciliation']) => r?.state === 'following' || r?.state === 'waiting'

export const reconciliationQuery = (id: string) =>
  query(['runs', id, 'reconcile'], () => api.GET('/api/runs/{id}/reconcile', byId(id)), {
    refetchInterval: poll(isReconciling, 1_000),
  })

export const benchmarksQuery = () =>
  query(['reports', 'benchmarks'], async () => (await api.GET('/api/benchmarks')).benchmarks ?? [], {
    refetchInterval: poll<Schemas['BenchmarkSummary'][]>(
      (all) => all.some((b) => b.state === 'running'),
      2_000,
      15_000,
    ),
  })

export const benchmarkQuery = (id: string) =>
  query(['reports', 'benchmark', id], () => api.GET('/api/benchmarks/{id}', byId(id)), {
    refetchInterval: poll<Benchmark>((b) => b.state === 'running', 1_000),
  })

/** The comparison with the site's baseline; fails with 409 if there is none. */
export const benchmarkComparisonQuery = (id: string, enabled: boolean) =>
  query(['reports', 'comparison', id], () => api.GET('/api/benchmarks/{id}/comparison', byId(id)), { enabled })

export const reportsQuery = () =>
  query(['reports', 'catalogue'], () => api.GET('/api/benchmarks/reports'), { staleTime: Infinity })

export const reportHistoryQuery = (of: QueryOf<'get-api-benchmarks-history'>) =>
  query(['reports', 'history', of], async () => {
    return (await api.GET('/api/benchmarks/history', { params: { query: of } })).points ?? []
  })

/** The planned rate over time of a configuration; missing settings have their defaults. Disabled without one. */
export function profileQuery(values?: Record<string, string>) {
  const config = [keys.profile, keys.curve, keys.rate, keys.zone].map((key) => [key, values?.[key] ?? ''])
  return {
    ...query(['profile', config], () => api.POST('/api/profile', { body: { config: Object.fromEntries(config) } })),
    enabled: values !== undefined,
    placeholderData: keepPreviousData,
  }
}

/** An estimate of settings from the first visits of their plan; disabled without settings. */
export const estimateQuery = (config?: Record<string, string>) =>
  query(['estimate', config], () => api.POST('/api/estimate', { body: { config } }), {
    enabled: config !== undefined,
    placeholderData: keepPreviousData,
  })

/** The problems of settings; disabled without settings. */
export const validationQuery = (config?: Record<string, string>) =>
  query(['validation', config], ({ signal }) => api.POST('/api/validate', { body: { config: config! }, signal }), {
    enabled: config !== undefined,
    placeholderData: keepPreviousData,
    gcTime: 0,
    staleTime: 0,
  })

/** What a backfill would send; disabled without a request. */
export const planQuery = (body?: Record<string, string>) =>
  query(['plan', body], ({ signal }) => api.POST('/api/backfill/plan', { body: body!, signal }), {
    enabled: body !== undefined,
    placeholderData: keepPreviousData,
    gcTime: 0,
    staleTime: 0,
  })

/** A connection test, not kept when the page is left. */
export const connectionQuery = (of: Parameters<typeof testConnection>[0]) =>
  query(['connection'], () => testConnection(of), { gcTime: 0, staleTime: Infinity })
