import { beforeEach, describe, expect, it } from 'vitest'
import { choice, comparison } from './choice.svelte'

const run = (id: string, day: number) => ({ id, started: `2026-11-${day}T10:00:00Z` })

beforeEach(() => {
  choice.chosen = []
  choice.showAll()
})

describe('choosing runs', () => {
  it('keeps two, and lets one go', () => {
    for (const r of [run('a', 10), run('b', 11), run('c', 12)]) choice.toggle(r)
    expect(choice.chosen.map((r) => r.id)).toEqual(['a', 'c'])
    choice.toggle(run('a', 10))
    expect(choice.chosen.map((r) => r.id)).toEqual(['c'])
  })
  it('compares the later with the earlier', () => {
    expect(comparison([run('late', 12), run('early', 10)])).toBe('/runs/compare/early/late')
  })
})

describe('narrowing the list', () => {
  it('begins with the first page and asks for nothing that is empty', () => {
    choice.skip = 40
    choice.narrow({ label: 'baseline' })
    expect(choice.narrowed).toBe(true)
    expect(choice.asked).toEqual({ skip: 0, label: 'baseline' })
    choice.showAll()
    expect(choice.narrowed).toBe(false)
  })
})
