import { expect, test } from 'vitest'
import { dismiss, shown, tell } from './toasts.svelte'

test('what two requests are answered alike is said once', () => {
  tell('good', 'stopped; 21 open visits were cut off')
  tell('note', 'another')
  const last = tell('good', 'stopped; 21 open visits were cut off')
  expect(shown.list.map((t) => t.text)).toEqual(['another', 'stopped; 21 open visits were cut off'])
  dismiss(last)
  expect(shown.list.map((t) => t.text)).toEqual(['another'])
})
