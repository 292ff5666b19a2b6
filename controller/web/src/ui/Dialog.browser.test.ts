import { createRawSnippet } from 'svelte'
import { expect, it, vi } from 'vitest'
import { userEvent } from 'vitest/browser'
import { render } from 'vitest-browser-svelte'
import Dialog from './Dialog.svelte'

const children = createRawSnippet(() => ({ render: () => '<form><input aria-label="Name" /></form>' }))

it('has a name, and the focus in its form', async () => {
  const screen = await render(Dialog, { open: true, title: 'New preset', onclose: () => {}, children })
  await expect.element(screen.getByRole('dialog', { name: 'New preset' })).toBeVisible()
  await expect.element(screen.getByRole('textbox', { name: 'Name' })).toHaveFocus()
})

it('asks to be closed by Escape and by its button, and stays until it is', async () => {
  const onclose = vi.fn()
  const screen = await render(Dialog, { open: true, title: 'New preset', onclose, children })
  await userEvent.keyboard('{Escape}')
  expect(onclose).toHaveBeenCalledOnce()
  await expect.element(screen.getByRole('dialog')).toBeVisible()
  await screen.getByRole('button', { name: 'Close' }).click()
  expect(onclose).toHaveBeenCalledTimes(2)
  await screen.rerender({ open: false })
  await expect.element(screen.getByRole('dialog')).not.toBeInTheDocument()
})
