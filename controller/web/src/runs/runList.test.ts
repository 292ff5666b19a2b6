import { beforeEach, describe, expect, it } from 'vitest'
import { runList, comparison } from './runList.svelte'

const run = (id: string, day: number) => ({ id, started: `2026-11-${day}T10:00:00Z` })

beforeEach(() => {
  runList.chosen = []
  runList.showAll()
})

describe('choosing runs', () => {
  it('keeps two, and lets one go', () => {
    for (const r of [run('a', 10), run('b', 11), run('c', 12)]) runList.toggle(r)
    expect(runList.chosen.map((r) => r.id)).toEqual(['a', 'c'])
    runList.toggle(run('a', 10))
    expect(runList.chosen.map((r) => r.id)).toEqual(['c'])
  })
  it('compares the later with the earlier', () => {
    expect(comparison([run('late', 12), run('early', 10)])).toBe('/runs/compare/early/late')
  })
})

describe('narrowing the list', () => {
  it('begins with the first page and asks for nothing that is empty', () => {
    runList.skip = 40
    runList.narrow({ label: 'baseline' })
    expect(runList.narrowed).toBe(true)
    expect(runList.asked).toEqual({ skip: 0, label: 'baseline' })
    runList.showAll()
    expect(runList.narrowed).toBe(false)
  })
})
