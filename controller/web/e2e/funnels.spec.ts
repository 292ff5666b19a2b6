import { expect, test } from './test'

type Saved = {
  id: number
  name: string
  description: string
  config: { steps: { type: string; url: string }[] }
}

test('a funnel from a template sends its hits', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/funnels')
  await keyboard.press(page.getByRole('link', { name: 'Lead' }))
  await expect(page.getByLabel('Page URL').first()).toHaveValue(/^https:\/\/shop\.example\.test\//)
  await keyboard.fill(page.getByLabel('Probability'), '1')
  // Short visits.
  for (const delay of await page.getByLabel(/delay$/).all()) await keyboard.fill(delay, '1')
  await keyboard.press(page.getByRole('button', { name: 'Show hits' }))
  await expect(page.getByRole('cell', { name: 'buying-guide.pdf' }).first()).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page).toHaveURL(/\/funnels\/\d+$/)
  await keyboard.press(page.getByRole('link', { name: 'All funnels' }))
  await expect(page.getByText('100 % of visits')).toBeVisible()

  await stack.api('POST', '/api/start', {})
  await expect.poll(async () => (await stack.counts()).total.hits.download ?? 0).toBeGreaterThan(0)
  const { violations, total } = await stack.counts()
  expect(violations).toBe(0)
  expect(total.hits.outlink ?? 0).toBe(0)
})

test('errors are shown at their fields, but empty fields only after saving', async ({ page, keyboard }) => {
  await page.goto('/funnels/new')
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'Path')
  const delay = page.getByLabel('Min delay')
  await keyboard.fill(delay, '9')
  await expect(delay).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByText('is above delay_seconds_max=2')).toBeVisible()
  await expect(page.getByLabel('Max delay')).toHaveValue('2') // not raised automatically
  await expect(page.getByLabel('Page URL')).not.toHaveAttribute('aria-invalid')
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByLabel('Page URL')).toHaveAttribute('aria-invalid', 'true')
})

test('a funnel is created, its steps sorted, and saved', async ({ page, stack, keyboard }) => {
  await page.goto('/funnels')
  await keyboard.press(page.getByRole('button', { name: 'New funnel' }))
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'By hand')
  const address = page.getByLabel('Page URL')
  await keyboard.fill(address.first(), 'https://a.test/1')
  for (const n of [2, 3]) {
    await keyboard.press(page.getByRole('button', { name: 'Add step' }))
    await keyboard.fill(address.nth(n - 1), `https://a.test/${n}`)
  }
  await keyboard.press(page.getByRole('button', { name: 'Move Step 3', exact: true }))
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await keyboard.press(page.getByRole('button', { name: 'Move Step 2 up' }))
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByText(/” saved/)).toBeVisible()
  await expect(page).toHaveURL(/\/funnels\/\d+$/)
  const id = /\d+$/.exec(page.url())![0]
  const { name, config } = await stack.api<Saved>('GET', `/api/funnels/${id}`)
  expect(name).toBe('By hand')
  expect(config.steps.map((s) => s.url)).toEqual([3, 1, 2].map((n) => `https://a.test/${n}`))
})

test('steps move by keyboard, but only a pageview can be first', async ({ page, stack, keyboard }) => {
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
  await keyboard.press(page.getByRole('button', { name: 'Move Step 2 up', exact: true }))
  await expect(page.getByText('The first step must be a pageview')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Move Step 3', exact: true }))
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Page URL').first()).toHaveValue('https://a.test/3')
  await expect(page.getByRole('button', { name: 'Remove step 1' })).toBeEnabled()
  await keyboard.press(page.getByRole('button', { name: 'Duplicate step 3' }))
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByText(/” saved/)).toBeVisible()
  const { config } = await stack.api<Saved>('GET', `/api/funnels/${id}`)
  expect(config.steps.map((s) => s.type)).toEqual(['pageview', 'pageview', 'event', 'event'])
})

test('the order sets the priority; funnels are duplicated, disabled and deleted', async ({ page, stack, keyboard }) => {
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
  await keyboard.press(page.getByRole('button', { name: 'Move First up' }))
  await expect(rows.nth(0)).toContainText('First')
  await expect(rows.nth(0)).toContainText('50 % of visits')

  await keyboard.toggle(page.getByRole('checkbox', { name: 'Enabled: First' }))
  await expect(rows.nth(1)).toContainText('50 % of visits')

  await keyboard.press(page.getByRole('button', { name: 'Delete Second' }))
  await expect(rows).toHaveCount(1)
  await keyboard.press(page.getByRole('button', { name: 'Undo' }))
  await expect(rows).toHaveCount(2)

  await keyboard.press(page.getByRole('button', { name: 'Duplicate Second' }))
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Second copy')
  await keyboard.fill(page.getByLabel('Description'), 'unsaved')
  await keyboard.press(page.getByRole('link', { name: 'All funnels' }))
  await expect(page.getByRole('dialog', { name: 'Leave this page?' })).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Leave without saving' }))
  await expect(rows).toHaveCount(2)
})

test('a change is saved and applied to the current run', async ({ page, stack, keyboard }) => {
  await stack.configure()
  const { id } = await stack.api<Saved>('POST', '/api/funnels', {
    name: 'Applied',
    probability: 1,
    steps: [{ type: 'pageview', url: 'https://a.test/before' }],
  })
  await stack.api('POST', '/api/start', {})
  await page.goto(`/funnels/${id}`)
  await keyboard.press(page.getByRole('button', { name: 'Add step' }))
  await keyboard.choose(page.getByLabel('Type').nth(1), 'Site search')
  await keyboard.fill(page.getByLabel('Keyword'), 'applied')
  await keyboard.press(page.getByRole('button', { name: 'Save and apply' }))
  await expect(page.getByText('Changes applied.')).toBeVisible()
  await expect.poll(async () => (await stack.counts()).total.hits.search ?? 0).toBeGreaterThan(0)
})
