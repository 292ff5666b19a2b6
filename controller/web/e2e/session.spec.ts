import { test as base, expect } from '@playwright/test'
import { Keyboard } from './keyboard'
import { key, Stack } from './stack'
import { guard } from './test'

const test = base.extend<{ stack: Stack; keyboard: Keyboard }>({
  stack: async ({}, use) => {
    const stack = await Stack.start()
    await use(stack)
    await stack.end()
  },
  keyboard: async ({ page }, use) => use(new Keyboard(page)),
})

test('signs in by key and signs out', async ({ page, stack, keyboard }) => {
  const faults = await guard(page.context(), stack.url)
  await page.goto(`${stack.url}/funnels`)
  await keyboard.fill(page.getByLabel('API key'), key)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Funnels' })).toBeVisible()
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(key)
  await keyboard.press(page.getByRole('button', { name: 'Sign out' }))
  await expect(page.getByLabel('API key')).toBeVisible()
  await page.reload()
  await expect(page.getByLabel('API key')).toBeVisible()
  expect(faults).toEqual([])
})

test('signs in by a link that works once', async ({ page, stack, browser }) => {
  const { code } = await stack.api<{ code: string }>('POST', '/api/session/codes')
  await page.goto(`${stack.url}/#code=${code}`)
  await expect(page.getByRole('navigation')).toBeVisible()
  expect(page.url()).not.toContain(code)
  const other = await browser.newPage()
  await other.goto(`${stack.url}/#code=${code}`)
  await expect(other.getByText('has been used or has expired')).toBeVisible()
  await other.close()
  await page.context().clearCookies()
  await page.getByRole('link', { name: 'Presets' }).first().click()
  await expect(page.getByText('Your session has ended')).toBeVisible()
})

const headers = { 'Content-Type': 'application/json' }

test('limits attempts with wrong keys and shows the waiting time', async ({ page, stack, keyboard }) => {
  await page.goto(stack.url)
  const field = page.getByLabel('API key')
  const button = page.getByRole('button', { name: 'Sign in' })
  await keyboard.fill(field, 'wrong')
  await keyboard.press(button)
  await expect(page.getByText('Wrong API key')).toBeVisible()
  const guess = () => fetch(`${stack.url}/api/session`, { method: 'POST', body: '{"api_key":"wrong"}', headers })
  await expect.poll(async () => (await guess()).status).toBe(429)
  await keyboard.press(button)
  await expect(page.getByText(/Try again in \d+ s/)).toBeVisible()
  await expect(button).toBeDisabled()
})
