import { expect, it, vi } from 'vitest'
import { userEvent } from 'vitest/browser'
import { render } from 'vitest-browser-svelte'
import RadioGroup from './RadioGroup.svelte'

it('is radio buttons that the arrow keys walk through', async () => {
  const onchoose = vi.fn()
  const options = [
    ['day', 'Every day'],
    ['week', 'A week'],
  ] as const
  const screen = await render(RadioGroup, { label: 'Days', options, value: 'day', onchoose })
  await expect.element(screen.getByRole('radiogroup', { name: 'Days' })).toBeVisible()
  await expect.element(screen.getByRole('radio', { name: 'Every day' })).toBeChecked()
  await userEvent.tab()
  await userEvent.keyboard('{ArrowRight}')
  expect(onchoose).toHaveBeenCalledExactlyOnceWith('week')
})
