// What the page of backfills asks of the controller.
import { api, data } from '../api/client'
import { goesOn } from './jobs'

export const jobsQuery = () => ({
  queryKey: ['backfill', 'jobs'],
  queryFn: async () => data(await api.GET('/api/backfill/status')).runs ?? [],
  // The snapshot of a job that goes on is a second old at most.
  refetchInterval: (query: { state: { data?: Parameters<typeof goesOn>[0][] } }) =>
    query.state.data?.some(goesOn) ? 1_000 : 10_000,
})
