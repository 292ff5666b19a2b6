import { flushSync } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { applyChanges } from './apply'
import { readTextFile } from './textfile'
import { SharedFile, type Options } from './SharedFile.svelte'

type Toast = { kind: string; text: string; undo?: () => void }
const toasts: Toast[] = []
let leaving: (() => string | undefined) | undefined

vi.mock('../ui', () => ({
  guardNavigation: (question: () => string | undefined) => {
    leaving = question
  },
  toast: (kind: string, text: string, more?: { action?: { run: () => void } }) =>
    toasts.push({ kind, text, undo: more?.action?.run }),
}))
vi.mock('../errors', () => ({
  errorText: (e: Error) => e.message,
  toastError: (e: Error) => toasts.push({ kind: 'bad', text: e.message }),
}))
vi.mock('./apply', () => ({ applyChanges: vi.fn() }))
vi.mock('./textfile', () => ({ readTextFile: vi.fn() }))

const { fakeEditor } = await import('./editor.fixture.svelte')

let end = () => {}
beforeEach(() => toasts.splice(0))
afterEach(() => end())

function open(more: Partial<Options<string>> = {}) {
  const at = fakeEditor('saved')
  const options: Options<string> = {
    saved: () => at.saved,
    equal: (a, b) => a === b,
    maxBytes: 100,
    parse: (text) => text,
    save: vi.fn(async (content: string) => {
      at.saved = content
    }),
    reset: async () => (at.saved = 'built in'),
    validate: vi.fn(),
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
    file = new SharedFile(options)
    file.editor = at.editor
  })
  flushSync()
  return { at, file, options }
}

describe('the saved content', () => {
  it('is loaded at first, not undoable, and again when it changes elsewhere', () => {
    const { at } = open()
    expect(at.loaded).toEqual([['saved', false]])
    at.saved = 'theirs'
    flushSync()
    expect(at.loaded.at(-1)).toEqual(['theirs', true])
  })

  it('does not replace edits until the user loads it', () => {
    const { at, file } = open()
    at.type('mine')
    at.saved = 'theirs'
    flushSync()
    expect([at.editor.content, file.changedElsewhere]).toEqual(['mine', true])
    file.loadSaved()
    flushSync()
    expect([at.editor.content, file.changedElsewhere, file.dirty]).toEqual(['theirs', false, false])
  })
})

describe('edits', () => {
  it('block navigation with a question', () => {
    const { at } = open()
    expect(leaving?.()).toBeUndefined()
    at.type('mine')
    expect(leaving?.()).toBe('unsaved')
  })

  it('are saved; what is typed meanwhile stays unsaved', async () => {
    let answer = () => {}
    const { at, file } = open({ save: () => new Promise<void>((done) => (answer = done)) })
    at.type('mine')
    const saving = file.save(false)
    at.type('more')
    answer()
    await saving
    expect(toasts.at(-1)).toMatchObject({ kind: 'good', text: 'saved mine' })
    expect([at.editor.content, file.dirty]).toEqual(['more', true])
    expect(applyChanges).not.toHaveBeenCalled()
  })

  it('are applied on request', async () => {
    const { at, file } = open()
    at.type('mine')
    await file.save(true)
    expect(applyChanges).toHaveBeenCalledOnce()
  })

  it('stay if saving fails, and are validated again', async () => {
    const { at, file, options } = open({ save: () => Promise.reject(new Error('refused')) })
    at.type('mine')
    await file.save(false)
    expect(toasts).toMatchObject([{ kind: 'bad', text: 'refused' }])
    expect([at.editor.content, file.dirty]).toEqual(['mine', true])
    expect(options.validate).toHaveBeenCalledOnce()
  })

  it('can be restored after they were discarded', () => {
    const { at, file } = open()
    at.type('mine')
    file.discard()
    expect(at.editor.content).toBe('saved')
    toasts.at(-1)?.undo?.()
    expect(at.editor.content).toBe('mine')
  })

  it('can be uploaded, with undo', async () => {
    vi.mocked(readTextFile).mockResolvedValueOnce('uploaded')
    const { at, file } = open()
    await file.upload({ name: 'urls.txt' } as File)
    expect([at.editor.content, file.dirty, toasts.at(-1)?.text]).toEqual(['uploaded', true, 'loaded urls.txt'])
    toasts.at(-1)?.undo?.()
    expect(at.editor.content).toBe('saved')
  })

  it('stay if an upload cannot be read or parsed', async () => {
    const { at, file } = open({ parse: () => undefined })
    vi.mocked(readTextFile).mockRejectedValueOnce(new Error('is empty')).mockResolvedValueOnce('?')
    await file.upload({ name: 'a' } as File)
    await file.upload({ name: 'a' } as File)
    expect(toasts.map((t) => t.text)).toEqual(['is empty'])
    expect(at.editor.content).toBe('saved')
  })
})

describe('a reset', () => {
  it('loads the built-in content; undo restores the edits too', async () => {
    const { at, file, options } = open()
    at.type('mine')
    await file.reset()
    expect([at.editor.content, file.resetting, toasts.at(-1)?.text]).toEqual(['built in', false, 'reset'])
    toasts.at(-1)?.undo?.()
    await vi.waitFor(() => expect(toasts.at(-1)?.text).toBe('back'))
    expect(options.save).toHaveBeenCalledExactlyOnceWith('saved', 'saved')
    expect([at.editor.content, file.dirty]).toEqual(['mine', true])
  })

  it('that fails changes nothing', async () => {
    const { at, file } = open({ reset: () => Promise.reject(new Error('refused')) })
    await file.reset()
    expect([at.editor.content, file.resetting, toasts.at(-1)?.text]).toEqual(['saved', false, 'refused'])
  })
})
