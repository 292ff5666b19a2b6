import { afterEach, describe, expect, it, vi } from 'vitest'
import { onEvent, parseEvent } from './stream'

afterEach(() => vi.restoreAllMocks())

describe('a stream event', () => {
  it('is parsed from its text', () => {
    expect(parseEvent('log', '{"time":"2026-11-24T10:00:00Z","level":"INFO","text":"ready"}')).toMatchObject({
      text: 'ready',
    })
  })

  it.each(['', '<html>', 'null', '3', '[]', '{"time":"2026-11-24T10:00:00Z"}'])(
    'is ignored with a warning if its text is %j',
    (text) => {
      const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
      expect(parseEvent('log', text)).toBeUndefined()
      expect(warned).toHaveBeenCalledOnce()
    },
  )

  it('reaches the handler, also after an invalid one', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const source = new EventTarget()
    const lines: string[] = []
    onEvent(source as EventSource, 'log', (l) => lines.push(l.text))
    for (const data of ['{"time":"","text":"a"}', 'broken', '{"time":"","text":"b"}'])
      source.dispatchEvent(new MessageEvent('log', { data }))
    expect(lines).toEqual(['a', 'b'])
  })
})
