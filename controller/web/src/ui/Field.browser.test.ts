import { createRawSnippet } from 'svelte'
import { expect, it } from 'vitest'
import { render } from 'vitest-browser-svelte'
import Field, { type InputAttributes } from './Field.svelte'

const input = createRawSnippet<[InputAttributes]>((attributes) => ({
  render: () => '<input />',
  setup: (node) => {
    for (const [name, value] of Object.entries(attributes())) if (value) node.setAttribute(name, value)
  },
}))

it('ties its input to the label, the error, the warning and the help', async () => {
  const props = { label: 'Rate', help: 'Visits a day.', error: 'is no number', warning: 'is high', input }
  const box = (await render(Field, props)).getByRole('textbox', { name: 'Rate' })
  await expect.element(box).toHaveAccessibleDescription('is no number is high Visits a day.')
  await expect.element(box).toBeInvalid()
})

it('says nothing is wrong with an input without a error', async () => {
  const box = (await render(Field, { label: 'Rate', input })).getByRole('textbox', { name: 'Rate' })
  await expect.element(box).toBeValid()
  await expect.element(box).not.toHaveAccessibleDescription()
})
