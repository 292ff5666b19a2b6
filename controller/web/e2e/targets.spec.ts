import { token } from './stack'
import { expect, test } from './test'

test('one of two targets fails and recovers', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await stack.api('POST', '/api/targets', { name: 'First', url: stack.sink, site_id: 1, token_auth: token })
  const second = await stack.addSink()

  await page.goto('/configuration/targets')
  await keyboard.press(page.getByRole('button', { name: 'Add target' }))
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'Second')
  await keyboard.fill(page.getByLabel('Tracker URL'), second.url)
  await keyboard.fill(page.getByLabel('Site ID', { exact: true }), '1')
  await keyboard.fill(page.getByLabel('Token', { exact: true }), token)
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  await expect(page.getByRole('heading', { name: 'Second' })).toBeVisible()
  await keyboard.pick(page.getByRole('radio', { name: /^Several targets/ }))
  await expect(page.getByText('50 % of visits')).toHaveCount(2)
  await keyboard.press(page.getByRole('button', { name: 'Test all' }))
  await expect(page.getByText('Tracking works on 2 of 2 targets.')).toBeVisible()
  await page.keyboard.press('Escape')
  const request = page.waitForRequest((r) => r.url().endsWith('/api/targets/test'))
  await keyboard.press(page.getByRole('button', { name: 'Test', exact: true }).first())
  expect((await request).postDataJSON()).toMatchObject({ ids: [1] })
  await expect(page.getByText('Tracking will work', { exact: true })).toBeVisible()

  await page.goto('/')
  await expect(page.getByText('Runs as a process: RUNTIME=process')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Start', exact: true }))
  const card = (name: string) =>
    page.getByRole('listitem').filter({ hasText: name }).filter({ hasText: 'Share of hits' })
  await expect(card('Second').getByText('Healthy', { exact: true })).toBeVisible()

  const { host } = new URL(second.url)
  await second.end()
  const failing = await stack.addSink(host, '--error-share', '1', '--error-status', '503')
  await expect(card('Second').getByText('Failed', { exact: true })).toBeVisible({ timeout: 120_000 })
  await expect(card('Second')).toContainText('Last error')
  await expect(card('First').getByText('Healthy', { exact: true })).toBeVisible()

  await failing.end()
  const recovered = await stack.addSink(host)
  await expect(card('Second').getByText('Healthy', { exact: true })).toBeVisible({ timeout: 120_000 })
  expect((await stack.counts(recovered.url)).total.visits).toBeGreaterThan(0)
})

test('connection errors of a target are shown until they are corrected', async ({ page, stack, keyboard }) => {
  await page.goto('/configuration/targets/new')
  await keyboard.fill(page.getByLabel('Tracker URL'), stack.sink)
  await page.getByText('API URL, authentication, headers').click()
  await keyboard.fill(page.getByLabel('Reporting API URL'), 'nowhere')
  await keyboard.fill(page.getByLabel('User and password'), 'load')
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  await expect(page.getByLabel('Reporting API URL')).toBeFocused()
  await page.getByLabel('Reporting API URL').fill('')
  await expect(page.getByText('not an http or https address')).toHaveCount(0)
  await expect(page.getByText('write the user name, a colon, and the password')).toBeVisible()
  await page.getByLabel('User and password').fill('load:hush')
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  await expect(page.getByRole('heading', { name: 'Primary' })).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Edit' }))
  await keyboard.press(page.getByRole('button', { name: 'Replace' }))
  await expect(page.getByLabel('User and password')).toBeFocused()
})

test('a duplicate of a target lists its missing secrets', async ({ page, stack }) => {
  const reached = { http_auth: 'load:hush', api_url: 'https://matomo.test/index.php' }
  const { id } = await stack.api<{ id: number }>('POST', '/api/targets', {
    name: 'First',
    url: stack.sink,
    site_id: 1,
    token_auth: token,
    ...reached,
  })
  await page.goto(`/configuration/targets/${id}/duplicate`)
  await expect(page.getByLabel('Reporting API URL')).toHaveValue(reached.api_url)
  await expect(page.getByText('Not copied from the original; enter it again.')).toHaveCount(2)
  await expect(page.getByLabel('User and password')).toHaveAccessibleDescription(/enter it again/)
})
