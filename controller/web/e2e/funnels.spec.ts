import { expect, test } from './test'

type Saved = {
  id: number
  name: string
  description: string
  config: { steps: { type: string; target_url: string }[] }
}

test('a funnel goes from a template to hits at the sink', async ({ page, stack }) => {
  await stack.configure()
  await page.goto('/funnels')
  await page.getByRole('link', { name: 'Lead' }).click()
  await expect(page.getByLabel('Page address').first()).toHaveValue(/^https:\/\/shop\.example\.test\//)
  await page.getByLabel('Probability').fill('1')
  // Every visit shall be over soon.
  for (const delay of await page.getByLabel(/^Delay/).all()) await delay.fill('1')
  await page.getByRole('button', { name: 'Show hits' }).click()
  await expect(page.getByRole('cell', { name: 'buying-guide.pdf' }).first()).toBeVisible()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page).toHaveURL(/\/funnels\/\d+$/)
  await page.getByRole('link', { name: 'All funnels' }).click()
  await expect(page.getByText('100 % of visits')).toBeVisible()

  await stack.api('POST', '/api/start', {})
  await expect.poll(async () => (await stack.counts()).total.hits.download ?? 0).toBeGreaterThan(0)
  const { violations, total } = await stack.counts()
  expect(violations).toBe(0)
  expect(total.hits.outlink ?? 0).toBe(0)
})

test('faults stand at their fields, and nothing that is missing is pressed for while one types', async ({ page }) => {
  await page.goto('/funnels/new')
  await page.getByLabel('Name', { exact: true }).fill('Path')
  await page.getByLabel('Delay, least').fill('9')
  const delay = page.getByLabel('Delay, least')
  await expect(delay).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByText('is above delay_seconds_max=2')).toBeVisible()
  await expect(page.getByLabel('Delay, most')).toHaveValue('2') // and is not raised behind one's back
  await expect(page.getByLabel('Page address')).not.toHaveAttribute('aria-invalid')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByLabel('Page address')).toHaveAttribute('aria-invalid', 'true')
})

test('steps move by keyboard, and none but a pageview to the first place', async ({ page, stack }) => {
  const { id } = await stack.api<Saved>('POST', '/api/funnels', {
    name: 'Moving',
    probability: 0.5,
    steps: [
      { type: 'pageview', url: 'https://a.test/1' },
      { type: 'event', event_category: 'c', event_action: 'a', event_name: 'n' },
      { type: 'pageview', url: 'https://a.test/3' },
    ],
  })
  await page.goto(`/funnels/${id}`)
  await page.getByRole('button', { name: 'Move Step 2 up', exact: true }).press('Enter')
  await expect(page.getByText('that step cannot be the first')).toBeVisible()
  const handle = page.getByRole('button', { name: 'Move Step 3', exact: true })
  await handle.focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Page address').first()).toHaveValue('https://a.test/3')
  await expect(page.getByRole('button', { name: 'Remove step 1' })).toBeEnabled()
  await page.getByRole('button', { name: 'Duplicate step 3' }).press('Enter')
  await page.getByRole('button', { name: 'Save', exact: true }).press('Enter')
  await expect(page.getByText('is saved')).toBeVisible()
  const { config } = await stack.api<Saved>('GET', `/api/funnels/${id}`)
  expect(config.steps.map((s) => s.type)).toEqual(['pageview', 'pageview', 'event', 'event'])
})

test('order is priority; copies, switches and deletions', async ({ page, stack }) => {
  for (const [priority, name] of ['Second', 'First'].entries())
    await stack.api('POST', '/api/funnels', {
      name,
      probability: 0.5,
      priority,
      steps: [{ type: 'pageview', url: 'https://a.test/' }],
    })
  await page.goto('/funnels')
  const rows = page.getByRole('list', { name: 'Funnels, by priority' }).getByRole('listitem')
  await expect(rows.nth(1)).toContainText('25 % of visits')
  await page.getByRole('button', { name: 'Move First up' }).click()
  await expect(rows.nth(0)).toContainText('First')
  await expect(rows.nth(0)).toContainText('50 % of visits')

  await page.getByRole('checkbox', { name: 'Enabled: First' }).uncheck()
  await expect(rows.nth(1)).toContainText('50 % of visits')

  await page.getByRole('button', { name: 'Delete Second' }).click()
  await expect(rows).toHaveCount(1)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(rows).toHaveCount(2)

  await page.getByRole('button', { name: 'Duplicate Second' }).click()
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Second copy')
  await page.getByLabel('Description').fill('unsaved')
  await page.getByRole('link', { name: 'All funnels' }).click()
  await expect(page.getByRole('dialog', { name: 'Leave this page?' })).toBeVisible()
  await page.getByRole('button', { name: 'Leave without saving' }).click()
  await expect(rows).toHaveCount(2)
})

test('a change is saved and applied to the run that goes on', async ({ page, stack }) => {
  await stack.configure()
  const { id } = await stack.api<Saved>('POST', '/api/funnels', {
    name: 'Applied',
    probability: 1,
    steps: [{ type: 'pageview', url: 'https://a.test/before' }],
  })
  await stack.api('POST', '/api/start', {})
  await page.goto(`/funnels/${id}`)
  await page.getByLabel('Type').selectOption('Pageview')
  await page.getByRole('button', { name: 'Add step' }).click()
  await page.getByLabel('Type').nth(1).selectOption('Site search')
  await page.getByLabel('Keyword').fill('applied')
  await page.getByRole('button', { name: 'Save and apply' }).click()
  await expect(page.getByText('The new plan runs.')).toBeVisible({ timeout: 30_000 })
  await expect.poll(async () => (await stack.counts()).total.hits.search ?? 0).toBeGreaterThan(0)
})
