import { expect, it, vi } from 'vitest'
import { render } from 'vitest-browser-svelte'
import SecretInput from './SecretInput.svelte'

const secret = (saved: boolean, edit: string | undefined, onedit = vi.fn()) => ({
  attributes: { id: 'token' },
  saved,
  edit,
  onedit,
})

it('takes a secret where none is saved, and never shows it', async () => {
  const onedit = vi.fn()
  await render(SecretInput, secret(false, undefined, onedit))
  const input = document.getElementById('token') as HTMLInputElement
  expect(input.type).toBe('password')
  input.value = 'abc'
  input.dispatchEvent(new Event('input', { bubbles: true }))
  expect(onedit).toHaveBeenCalledExactlyOnceWith('abc')
})

it('does not show a saved one; it is replaced or removed, and the input has the focus then', async () => {
  const onedit = vi.fn()
  const screen = await render(SecretInput, secret(true, undefined, onedit))
  await expect.element(screen.getByRole('textbox')).toHaveValue('Saved (hidden)')
  await screen.getByRole('button', { name: 'Clear' }).click()
  expect(onedit).toHaveBeenCalledExactlyOnceWith('')
  await screen.getByRole('button', { name: 'Replace' }).click()
  expect((document.activeElement as HTMLInputElement).type).toBe('password')
  await screen.getByRole('button', { name: 'Keep saved value' }).click()
  expect(onedit).toHaveBeenLastCalledWith(undefined)
})

it('says that a saved one goes with the next save', async () => {
  const screen = await render(SecretInput, secret(true, ''))
  await expect.element(screen.getByRole('textbox')).toHaveValue('Will be removed on save')
})
