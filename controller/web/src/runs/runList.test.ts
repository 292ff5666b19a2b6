import { beforeEach, describe, expect, it } from 'vitest'
import { comparisonPath, runList } from './runList.svelte'

const run = (id: string, day: number) => ({ id, started: `2026-11-${day}T10:00:00Z` })

beforeEach(() => {
  runList.selected = []
  runList.clearFilters()
})

describe('selecting runs', () => {
  it('keeps two, and deselects one', () => {
    for (const r of [run('a', 10), run('b', 11), run('c', 12)]) runList.toggle(r)
    expect(runList.selected.map((r) => r.id)).toEqual(['a', 'c'])
    runList.toggle(run('a', 10))
    expect(runList.selected.map((r) => r.id)).toEqual(['c'])
  })
  it('puts the earlier run first', () => {
    expect(comparisonPath([run('late', 12), run('early', 10)])).toBe('/runs/compare/early/late')
  })
})

describe('filtering the list', () => {
  it('goes to the first page and omits empty filters', () => {
    runList.skip = 40
    runList.filter({ label: 'baseline' })
    expect(runList.isFiltered).toBe(true)
    expect(runList.query).toEqual({ skip: 0, label: 'baseline' })
    runList.clearFilters()
    expect(runList.isFiltered).toBe(false)
  })
})
