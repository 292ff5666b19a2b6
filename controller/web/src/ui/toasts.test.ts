import { expect, test } from 'vitest'
import { dismiss, shown, toast } from './toasts.svelte'

test('what two requests are answered alike is said once', () => {
  toast('good', 'stopped; 21 open visits were cut off')
  toast('note', 'another')
  const last = toast('good', 'stopped; 21 open visits were cut off')
  expect(shown.list.map((t) => t.text)).toEqual(['another', 'stopped; 21 open visits were cut off'])
  dismiss(last)
  expect(shown.list.map((t) => t.text)).toEqual(['another'])
})
