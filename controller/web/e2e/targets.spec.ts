import { token } from './stack'
import { expect, test } from './test'

test('of two targets one fails, turns red, and recovers', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await stack.api('POST', '/api/targets', { name: 'First', url: stack.sink, site_id: 1, token_auth: token })
  const second = await stack.addSink()

  await page.goto('/configuration/targets')
  await keyboard.press(page.getByRole('button', { name: 'Add target' }))
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'Second')
  await keyboard.fill(page.getByLabel('Tracker address'), second.url)
  await keyboard.fill(page.getByLabel('Site', { exact: true }), '1')
  await keyboard.fill(page.getByLabel('Token', { exact: true }), token)
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  await expect(page.getByRole('heading', { name: 'Second' })).toBeVisible()
  await keyboard.pick(page.getByRole('radio', { name: /^Several targets/ }))
  await expect(page.getByText('50 % of visits')).toHaveCount(2)
  await keyboard.press(page.getByRole('button', { name: 'Test all' }))
  await expect(page.getByText('Tracking will work at 2 of 2 targets.')).toBeVisible()
  await page.keyboard.press('Escape')
  const asked = page.waitForRequest((r) => r.url().endsWith('/api/targets/test'))
  await keyboard.press(page.getByRole('button', { name: 'Test', exact: true }).first())
  expect((await asked).postDataJSON()).toMatchObject({ ids: [1] })
  await expect(page.getByText('Tracking will work', { exact: true })).toBeVisible()

  await page.goto('/')
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
  const mended = await stack.addSink(host)
  await expect(card('Second').getByText('Healthy', { exact: true })).toBeVisible({ timeout: 120_000 })
  expect((await stack.counts(mended.url)).total.visits).toBeGreaterThan(0)
})
