// What the dashboard and the pages of runs ask of the controller.
import { api, data } from '../api/client'

export const runQuery = (id: string) => ({
  queryKey: ['runs', id],
  queryFn: async () => data(await api.GET('/api/runs/{id}', { params: { path: { id } } })),
})

export const intervalsQuery = (id: string) => ({
  queryKey: ['runs', id, 'minutes'],
  queryFn: async () => data(await api.GET('/api/runs/{id}/minutes', { params: { path: { id } } })),
})

export const fieldsQuery = () => ({
  queryKey: ['schema'],
  queryFn: async () => data(await api.GET('/api/config/schema')),
  staleTime: Infinity,
})
