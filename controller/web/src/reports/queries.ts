// What the page of reports asks of the controller.
import { api, data, type Schemas } from '../api/client'

export type Head = Schemas['BenchmarkHead']
export type Benchmark = Schemas['TimingReportBenchmark']

export const benchmarksQuery = () => ({
  queryKey: ['reports', 'benchmarks'],
  queryFn: async () => data(await api.GET('/api/report-benchmarks')).benchmarks ?? [],
  refetchInterval: (query: { state: { data?: Head[] } }) =>
    query.state.data?.some((b) => b.state === 'running') ? 2_000 : 15_000,
})

export const benchmarkQuery = (id: string) => ({
  queryKey: ['reports', 'benchmark', id],
  queryFn: async () => data(await api.GET('/api/report-benchmarks/{id}', { params: { path: { id } } })),
  refetchInterval: (query: { state: { data?: Benchmark } }) =>
    query.state.data?.state === 'running' ? 1_000 : (false as const),
})

/** The comparison with the baseline of the site; null where there is none. */
export const comparisonQuery = (id: string, ready: boolean) => ({
  queryKey: ['reports', 'comparison', id],
  enabled: ready,
  queryFn: async () => data(await api.GET('/api/report-benchmarks/{id}/comparison', { params: { path: { id } } })),
})

export const catalogueQuery = () => ({
  queryKey: ['reports', 'catalogue'],
  staleTime: Infinity,
  queryFn: async () => data(await api.GET('/api/reports')),
})
