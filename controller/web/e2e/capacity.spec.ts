import { expect, test } from './test'

test('a capacity search requires confirmation, reports invalid input, and shows its progress', async ({
  page,
  stack,
  keyboard,
}) => {
  await stack.configure()
  await page.goto('/')
  await keyboard.press(page.getByRole('link', { name: 'Find the limit' }))
  const start = page.getByRole('button', { name: 'Start search' })
  await keyboard.press(start)
  await expect(page.getByText('Confirm that the target may be overloaded.')).toBeVisible()
  await keyboard.toggle(page.getByRole('checkbox', { name: 'I understand that this may overload the target' }))
  await keyboard.fill(page.getByLabel('Step duration'), '2')
  await keyboard.fill(page.getByLabel('Start rate'), 'slow')
  await keyboard.press(start)
  await expect(page.getByLabel('Start rate')).toHaveAttribute('aria-invalid', 'true')
  const { run } = await stack.api<{ run: unknown }>('GET', '/api/status')
  expect(run).toBeNull()

  await keyboard.fill(page.getByLabel('Start rate'), '2')
  await keyboard.fill(page.getByLabel('Maximum rate'), '4')
  await keyboard.press(start)
  await expect(page.getByRole('heading', { name: 'Current search' })).toBeVisible()
  const steps = page.getByRole('region', { name: 'Steps' }).getByRole('row')
  await expect(steps.filter({ hasText: 'passed' }).first()).toBeVisible()
  await page.goto('/')
  await expect(page.getByText('set by the search')).toBeVisible()
  await expect(page.getByText(/visits\/s \(.* hits\/s\) passed, not yet confirmed for a minute/)).toBeVisible()
})
