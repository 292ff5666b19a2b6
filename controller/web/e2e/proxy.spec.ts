import { test as base, expect } from '@playwright/test'
import { Keyboard } from './keyboard'
import { type Proxy, startProxy } from './proxy'
import { key, Stack } from './stack'
import { guard } from './test'

const test = base.extend<{ stack: Stack; front: Proxy; careless: boolean; keyboard: Keyboard }>({
  careless: [false, { option: true }],
  stack: async ({}, use) => {
    const stack = await Stack.start()
    await use(stack)
    await stack.end()
  },
  front: async ({ stack, careless }, use) => {
    const front = await startProxy(stack.url, '/below/it', careless)
    await use(front)
    front.end()
  },
  keyboard: async ({ page }, use) => use(new Keyboard(page)),
})

test('the interface works below a path of a proxy', async ({ page, stack, front, keyboard }) => {
  const faults = await guard(page.context(), new URL(front.url).origin)
  await stack.configure()
  const { code } = await stack.api<{ code: string }>('POST', '/api/session/codes')
  await page.goto(`${front.url}/#code=${code}`)
  await expect(page.getByText('Connected')).toBeVisible()
  expect((await page.context().cookies()).map((c) => c.path)).toEqual(['/below/it/api'])

  const links = page.getByRole('navigation').getByRole('link')
  for (const name of await links.allTextContents()) {
    await links.filter({ hasText: name }).click()
    await expect(page).toHaveTitle(`${name.trim()} · Trafficinator`)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  }
  // Deep links work, and so do the links on those pages.
  await page.goto(`${front.url}/funnels/new/purchase`)
  await page.getByRole('main').locator('a[href="funnels"]').click()
  await page.locator('a[href^="funnels/new/"]').first().click()
  await expect(page).toHaveURL(/\/below\/it\/funnels\/new\/\w+$/)
  await page.reload()
  await expect(page.getByText('Connected')).toBeVisible()
  await page.goBack()
  await expect(page).toHaveURL(`${front.url}/funnels`)
  await page.getByRole('link', { name: 'Skip to content' }).focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(`${front.url}/funnels#content`)

  const download = page.waitForEvent('download')
  await page.goto(`${front.url}/urls`)
  await page.locator('a[download]').first().click()
  expect((await download).url()).toContain('/below/it/api/')

  await page.goto(`${front.url}/docs`)
  await expect(page.getByText('/api/session/codes')).toBeVisible()
  await page.getByRole('link', { name: 'Trafficinator' }).click()
  await keyboard.press(page.getByRole('button', { name: 'Sign out' }))
  await expect(page.getByLabel('API key')).toBeVisible()
  await page.reload()
  await expect(page.getByLabel('API key')).toBeVisible()
  expect(front.strays).toEqual([])
  expect(faults).toEqual([])
})

test.describe('behind a proxy that hides the host', () => {
  test.use({ careless: true })
  test('reports how to configure the proxy', async ({ page, front, keyboard }) => {
    await page.goto(front.url + '/')
    await keyboard.fill(page.getByLabel('API key'), key)
    await page.keyboard.press('Enter')
    await expect(page.getByText(`PUBLIC_URL=${front.url}`)).toBeVisible()
  })
})
