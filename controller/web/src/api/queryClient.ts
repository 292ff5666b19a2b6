// The cache of the controller's answers.
import { QueryClient } from '@tanstack/svelte-query'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The controller may run on this machine, so a browser that reports itself offline still sends requests.
      networkMode: 'always',
      retry: false,
      refetchOnWindowFocus: true,
      staleTime: 5_000,
      // By default only the properties read so far notify: `a.data && b.data` would miss b's data if a comes first.
      notifyOnChangeProps: 'all',
    },
  },
})
