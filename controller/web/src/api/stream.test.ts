import { afterEach, describe, expect, it, vi } from 'vitest'
import { on, parse } from './stream'

afterEach(() => vi.restoreAllMocks())

describe('an event of the stream', () => {
  it('is what its text holds', () => {
    expect(parse('log', '{"time":"2026-11-24T10:00:00Z","level":"INFO","text":"ready"}')).toMatchObject({
      text: 'ready',
    })
  })

  it.each(['', '<html>', 'null', '3', '[]', '{"time":"2026-11-24T10:00:00Z"}'])('is none of its kind as %s', (text) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(parse('log', text)).toBeUndefined()
    expect(warned).toHaveBeenCalledOnce()
  })

  it('is handed over where it is of its kind, and the next one after a bad one too', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const source = new EventTarget()
    const lines: string[] = []
    on(source as EventSource, 'log', (l) => lines.push(l.text))
    for (const data of ['{"time":"","text":"a"}', 'broken', '{"time":"","text":"b"}'])
      source.dispatchEvent(new MessageEvent('log', { data }))
    expect(lines).toEqual(['a', 'b'])
  })
})
