import { createQuery } from '@tanstack/svelte-query'
import { api, data } from '../api/client'
import { live } from '../api/live.svelte'

/** What a restart would change, which shared files were edited by hand and whether all is published; asked again when a run
 * begins or ends. */
export function pendingQuery() {
  const query = createQuery(() => ({
    queryKey: ['exchange'],
    queryFn: async () => data(await api.GET('/api/exchange')),
    // The controller tries again by itself.
    refetchInterval: (q) => q.state.data?.published === false && 5000,
  }))
  const course = () => `${live.status?.run?.id} ${live.status?.run?.ended}`
  let before = course()
  $effect(() => {
    const now = course()
    if (now === before) return
    before = now
    void query.refetch()
  })
  return query
}
