// What was read from the controller: kept for a few seconds, and read again where something may have changed it.
import { QueryClient } from '@tanstack/svelte-query'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The controller may be on this machine: a browser that calls itself offline asks all the same.
      networkMode: 'always',
      retry: false,
      refetchOnWindowFocus: true,
      staleTime: 5_000,
      // By itself a query tells only of what was read of it so far: `a.data && b.data` would never see b's answer where
      // that comes first.
      notifyOnChangeProps: 'all',
    },
  },
})
