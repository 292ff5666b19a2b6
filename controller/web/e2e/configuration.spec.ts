import { token } from './stack'
import { expect, test } from './test'

type Saved = { config: Record<string, unknown> }

test('a setting is edited, reviewed and applied', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await stack.api('POST', '/api/start', {})
  await page.goto('/configuration')
  await keyboard.fill(page.getByLabel('Search settings'), 'PAGEVIEWS_MAX')
  const max = page.getByLabel('Pages per visit, max')
  await keyboard.fill(max, '0')
  await expect(max).toHaveAttribute('aria-invalid', 'true')
  await keyboard.fill(max, '7')
  await expect(max).not.toHaveAttribute('aria-invalid')
  await keyboard.press(page.getByRole('button', { name: 'Review and apply' }))
  await expect(page.getByRole('row', { name: /Pages per visit, max.*7/ })).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Apply and restart' }))
  await expect(page.getByText('The new configuration is running.')).toBeVisible()
  const { config } = await stack.api<Saved>('GET', '/api/config')
  expect(config.PAGEVIEWS_MAX).toBe(7)
  const { changes } = await stack.api<{ changes: unknown[] | null }>('GET', '/api/exchange')
  expect(changes ?? []).toEqual([])
})

test('leaving the page with unsaved changes asks for confirmation', async ({ page, keyboard }) => {
  await page.goto('/configuration')
  await keyboard.fill(page.getByLabel('Visits per day'), '1234')
  const logs = page.getByRole('navigation').getByRole('link', { name: 'Logs' })
  await keyboard.press(logs)
  await keyboard.press(page.getByRole('button', { name: 'Stay' }))
  await expect(page.getByLabel('Visits per day')).toHaveValue('1234')
  await keyboard.press(logs)
  await keyboard.press(page.getByRole('button', { name: 'Leave without saving' }))
  await expect(page.getByRole('heading', { name: 'Logs' })).toBeVisible()
})

test('a preset is saved, compared, loaded, exported, deleted and restored', async ({ page, stack, keyboard }) => {
  await stack.configure({ TARGET_VISITS_PER_DAY: 1234 })
  await page.goto('/presets')
  await keyboard.press(page.getByRole('button', { name: 'New from current' }).first())
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'Mine')
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  const mine = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Mine', exact: true }) })
  await expect(mine).toContainText('1,234')

  await stack.configure({ TARGET_VISITS_PER_DAY: 99 })
  await page.reload()
  await keyboard.press(mine.getByRole('button', { name: 'Compare' }))
  await expect(page.getByText('Loading it would change 1 setting.')).toBeVisible()
  await page.keyboard.press('Escape')
  await keyboard.press(mine.getByRole('button', { name: 'Load' }))
  await expect(page.getByText('loaded into the configuration')).toBeVisible()
  const { config } = await stack.api<Saved>('GET', '/api/config')
  expect(config).toMatchObject({ TARGET_VISITS_PER_DAY: 1234, MATOMO_URL: stack.sink })

  const download = page.waitForEvent('download')
  await keyboard.press(mine.getByRole('button', { name: 'Export' }))
  expect((await download).suggestedFilename()).toMatch(/\.json$/)

  await keyboard.press(mine.getByRole('button', { name: 'Delete' }))
  await expect(mine).toHaveCount(0)
  await keyboard.press(page.getByRole('button', { name: 'Undo' }).last())
  await expect(mine).toHaveCount(1)
})

test('loading a preset restores its targets without their tokens', async ({ page, stack, keyboard }) => {
  await stack.configure()
  const made = { name: 'one', url: stack.sink, site_id: 1, token_auth: token }
  const { id } = await stack.api<{ id: number }>('POST', '/api/targets', made)
  await page.goto('/presets/save')
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'Servers')
  await keyboard.toggle(page.getByLabel('Include 1 saved target, without tokens'))
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  const servers = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Servers', exact: true }) })
  await expect(servers).toContainText('1 target')

  await stack.api('DELETE', `/api/targets/${id}`)
  await keyboard.press(servers.getByRole('button', { name: 'Load' }))
  await expect(page.getByText('No token is saved for: one.')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Targets', exact: true }))
  await expect(page.getByRole('heading', { name: 'one', exact: true })).toBeVisible()
})

test('a manually edited file is reported and imported', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await stack.api('POST', '/api/urls', { content: 'https://a.test/saved\n' })
  await stack.file('urls.txt').write('https://a.test/by-hand\n')
  await page.goto('/urls')
  await expect(page.getByText('urls.txt was edited outside this interface')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Import', exact: true }))
  await expect(page.getByRole('textbox', { name: 'Page list' })).toContainText('by-hand')
  await expect(page.getByText('was edited outside this interface')).toHaveCount(0)
  const { urls } = await stack.api<{ urls: { url: string }[] }>('GET', '/api/urls')
  expect(urls.map((u) => u.url)).toEqual(['https://a.test/by-hand'])
})
