import { test as base, expect } from '@playwright/test'
import { key, Stack } from './stack'
import { guard } from './test'

const test = base.extend<{ stack: Stack }>({
  stack: async ({}, use) => {
    const stack = await Stack.start()
    await use(stack)
    await stack.end()
  },
})

test('signs in by key, with the keyboard, and out again', async ({ page, stack }) => {
  const faults = await guard(page.context(), stack.url)
  await page.goto(`${stack.url}/funnels`)
  await page.getByLabel('API key').focus()
  await page.keyboard.type(key)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Funnels' })).toBeVisible()
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(key)
  await page.getByRole('button', { name: 'Sign out' }).click()
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
  await expect(other.getByText('has been used or is too old')).toBeVisible()
  await other.close()
})

const headers = { 'Content-Type': 'application/json' }

test('backs off from wrong keys and says how long', async ({ page, stack }) => {
  await page.goto(stack.url)
  const field = page.getByLabel('API key')
  const button = page.getByRole('button', { name: 'Sign in' })
  await field.fill('wrong')
  await button.click()
  await expect(page.getByText('the key or code is wrong')).toBeVisible()
  const guess = () => fetch(`${stack.url}/api/session`, { method: 'POST', body: '{"api_key":"wrong"}', headers })
  await expect.poll(async () => (await guess()).status).toBe(429)
  await button.click()
  await expect(page.getByText(/Wait \d+ s/)).toBeVisible()
  await expect(button).toBeDisabled()
})
