import { flushSync } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { applyChanges } from './apply'
import { readTextFile } from './textfile'
import { SharedFile, type Kind } from './SharedFile.svelte'

type Told = { kind: string; text: string; undo?: () => void }
const told: Told[] = []
let leaving: (() => string | undefined) | undefined

vi.mock('../ui', () => ({
  guardNavigation: (question: () => string | undefined) => {
    leaving = question
  },
  toast: (kind: string, text: string, more?: { action?: { run: () => void } }) =>
    told.push({ kind, text, undo: more?.action?.run }),
}))
vi.mock('../errors', () => ({
  errorText: (e: Error) => e.message,
  toastError: (e: Error) => told.push({ kind: 'bad', text: e.message }),
}))
vi.mock('./apply', () => ({ applyChanges: vi.fn() }))
vi.mock('./textfile', () => ({ readTextFile: vi.fn() }))

const { make } = await import('./editor.fixture.svelte')

let end = () => {}
beforeEach(() => told.splice(0))
afterEach(() => end())

function open(more: Partial<Kind<string>> = {}) {
  const at = make('saved')
  const kind: Kind<string> = {
    saved: () => at.saved,
    same: (a, b) => a === b,
    most: 100,
    parse: (text) => text,
    send: vi.fn(async (content: string) => {
      at.saved = content
    }),
    reset: async () => (at.saved = 'built in'),
    check: vi.fn(),
    words: {
      leaving: 'unsaved',
      loaded: (name) => `loaded ${name}`,
      saved: (content) => `saved ${content}`,
      resetDone: 'reset',
      resetUndone: 'back',
    },
    ...more,
  }
  let file!: SharedFile<string>
  end = at.root(() => {
    file = new SharedFile(kind)
    file.surface = at.surface
  })
  flushSync()
  return { at, file, kind }
}

describe('what is saved', () => {
  it('is shown at first, which cannot be undone, and when somebody else changes it', () => {
    const { at } = open()
    expect(at.shown).toEqual([['saved', false]])
    at.saved = 'theirs'
    flushSync()
    expect(at.shown.at(-1)).toEqual(['theirs', true])
  })

  it('does not take edits away; it is shown where somebody asks for it', () => {
    const { at, file } = open()
    at.type('mine')
    at.saved = 'theirs'
    flushSync()
    expect([at.surface.content, file.changedElsewhere]).toEqual(['mine', true])
    file.loadSaved()
    flushSync()
    expect([at.surface.content, file.changedElsewhere, file.dirty]).toEqual(['theirs', false, false])
  })
})

describe('edits', () => {
  it('are asked about before the page is left', () => {
    const { at } = open()
    expect(leaving?.()).toBeUndefined()
    at.type('mine')
    expect(leaving?.()).toBe('unsaved')
  })

  it('are saved, and what is typed meanwhile stays an edit', async () => {
    let answer = () => {}
    const { at, file } = open({ send: () => new Promise<void>((done) => (answer = done)) })
    at.type('mine')
    const saving = file.save(false)
    at.type('more')
    answer()
    await saving
    expect(told.at(-1)).toMatchObject({ kind: 'good', text: 'saved mine' })
    expect([at.surface.content, file.dirty]).toEqual(['more', true])
    expect(applyChanges).not.toHaveBeenCalled()
  })

  it('are applied where somebody asks for it', async () => {
    const { at, file } = open()
    at.type('mine')
    await file.save(true)
    expect(applyChanges).toHaveBeenCalledOnce()
  })

  it('stay where saving is refused, and are checked again', async () => {
    const { at, file, kind } = open({ send: () => Promise.reject(new Error('refused')) })
    at.type('mine')
    await file.save(false)
    expect(told).toMatchObject([{ kind: 'bad', text: 'refused' }])
    expect([at.surface.content, file.dirty]).toEqual(['mine', true])
    expect(kind.check).toHaveBeenCalledOnce()
  })

  it('come back after they were discarded', () => {
    const { at, file } = open()
    at.type('mine')
    file.discard()
    expect(at.surface.content).toBe('saved')
    told.at(-1)?.undo?.()
    expect(at.surface.content).toBe('mine')
  })

  it('are what an upload brings, with a way back', async () => {
    vi.mocked(readTextFile).mockResolvedValueOnce('uploaded')
    const { at, file } = open()
    await file.upload({ name: 'urls.txt' } as File)
    expect([at.surface.content, file.dirty, told.at(-1)?.text]).toEqual(['uploaded', true, 'loaded urls.txt'])
    told.at(-1)?.undo?.()
    expect(at.surface.content).toBe('saved')
  })

  it('stay where an upload cannot be read or is no content', async () => {
    const { at, file } = open({ parse: () => undefined })
    vi.mocked(readTextFile).mockRejectedValueOnce(new Error('is empty')).mockResolvedValueOnce('?')
    await file.upload({ name: 'a' } as File)
    await file.upload({ name: 'a' } as File)
    expect(told.map((t) => t.text)).toEqual(['is empty'])
    expect(at.surface.content).toBe('saved')
  })
})

describe('a reset', () => {
  it('shows what is built in, and is undone with the edits of before', async () => {
    const { at, file, kind } = open()
    at.type('mine')
    await file.reset()
    expect([at.surface.content, file.resetting, told.at(-1)?.text]).toEqual(['built in', false, 'reset'])
    told.at(-1)?.undo?.()
    await vi.waitFor(() => expect(told.at(-1)?.text).toBe('back'))
    expect(kind.send).toHaveBeenCalledExactlyOnceWith('saved', 'saved')
    expect([at.surface.content, file.dirty]).toEqual(['mine', true])
  })

  it('that is refused changes nothing', async () => {
    const { at, file } = open({ reset: () => Promise.reject(new Error('refused')) })
    await file.reset()
    expect([at.surface.content, file.resetting, told.at(-1)?.text]).toEqual(['saved', false, 'refused'])
  })
})
