import { flushSync } from 'svelte'
import { afterEach, expect, it, vi } from 'vitest'
import { live } from './live.svelte'

const sources: EventTarget[] = []

afterEach(() => vi.unstubAllGlobals())

it('opens one stream, however many points arrive', async () => {
  vi.stubGlobal(
    'EventSource',
    class extends EventTarget {
      constructor() {
        super()
        sources.push(this)
      }
      close() {}
    },
  )
  vi.stubGlobal('fetch', async () => new Response('{"points":[]}', { headers: { 'Content-Type': 'application/json' } }))
  const end = $effect.root(() => {
    $effect(() => live.connect())
  })
  flushSync()
  await vi.waitFor(() => expect(live.series.version).toBe(1))
  const sample = { run_id: 'r', time: '2026-11-24T10:00:00Z', hits: {}, delta: {}, latency: {} }
  sources[0]!.dispatchEvent(new MessageEvent('sample', { data: JSON.stringify(sample) }))
  flushSync()
  expect([live.series.version, live.series.points.length, sources.length]).toEqual([2, 1, 1])
  end()
})
