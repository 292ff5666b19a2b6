import { expect, test } from './test'

test('a benchmark is set as the baseline and compared with the next one', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/benchmarks')
  await expect(page.getByText('No benchmarks yet.', { exact: false })).toBeVisible()
  const run = async () => {
    for (const period of ['Week', 'Month']) await keyboard.toggle(page.getByRole('checkbox', { name: period }))
    await keyboard.press(page.getByText('Reports: All'))
    for (const report of ['Visits summary', 'Page titles'])
      await keyboard.toggle(page.getByRole('checkbox', { name: report }))
    await keyboard.fill(page.getByLabel('Parallel clients'), '2')
    await keyboard.press(page.getByRole('button', { name: 'Start', exact: true }))
    await expect(page.getByText('Done', { exact: true })).toBeVisible()
  }
  await run()
  const table = page.getByRole('region', { name: 'Reports' })
  await expect(table.getByRole('row', { name: /Visits summary/ })).toContainText(/[mµ]s/)
  // The sink does not have it, so requests for it fail.
  await expect(table.getByRole('row', { name: /Page titles/ })).toContainText('does not exist')
  await keyboard.press(page.getByRole('button', { name: 'Set as baseline' }))
  await expect(page.getByText('Baseline', { exact: true })).toBeVisible()

  await keyboard.press(page.getByRole('link', { name: 'All benchmarks' }))
  await run()
  await expect(page.getByText('Compared with the baseline of', { exact: false })).toBeVisible()
  await expect(table.getByRole('row', { name: /Page titles/ })).toContainText('Failing')
  await keyboard.press(table.getByRole('button', { name: 'History of Visits summary' }))
  await expect(page.getByRole('dialog').getByRole('row')).toHaveCount(3)
})

test('invalid input is reported at its field', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/reports')
  await keyboard.fill(page.getByLabel('Warm requests'), '1000')
  await keyboard.press(page.getByRole('button', { name: 'Start', exact: true }))
  await expect(page.getByLabel('Warm requests')).toHaveAccessibleDescription(/between 1 and 100/)
})
