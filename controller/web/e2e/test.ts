// Fixtures of the browser tests: a stack of their own, and a page that may send requests only to it.
import { test as base, type BrowserContext, expect, type Page } from '@playwright/test'
import { Keyboard } from './keyboard'
import { key, Stack } from './stack'

type Fixtures = {
  stack: Stack
  /** A signed-in page. The test fails on requests to other hosts, violations of the CSP and script errors. */
  page: Page
  keyboard: Keyboard
}

export const test = base.extend<Fixtures>({
  stack: async ({}, use) => {
    const stack = await Stack.start()
    await use(stack)
    await stack.end()
  },
  context: async ({ context, stack }, use) => {
    const faults = await guard(context, stack.url)
    await use(context)
    expect(faults, 'requests to other hosts, violations of the CSP, script errors').toEqual([])
  },
  baseURL: async ({ stack }, use) => use(stack.url),
  page: async ({ page, stack }, use) => {
    await signIn(page.context(), stack)
    await use(page)
  },
  keyboard: async ({ page }, use) => use(new Keyboard(page)),
})

export { expect }

/** Blocks all hosts except the controller; returns the list of faults. */
export async function guard(context: BrowserContext, home: string): Promise<string[]> {
  const faults: string[] = []
  await context.route(
    (url) => url.protocol.startsWith('http') && url.origin !== home,
    (route) => {
      faults.push(`requested ${route.request().url()}`)
      return route.abort()
    },
  )
  await context.exposeBinding('breach', (_, what: string) => void faults.push(what))
  await context.addInitScript(() =>
    addEventListener('securitypolicyviolation', (e) =>
      (window as unknown as { breach: (what: string) => void }).breach(`${e.violatedDirective} ${e.blockedURI}`),
    ),
  )
  context.on('weberror', (e) => faults.push(`script: ${e.error().stack ?? e.error().message}`))
  return faults
}

/** Signs in without the form. */
export async function signIn(context: BrowserContext, stack: Stack) {
  const answer = await context.request.post(`${stack.url}/api/session`, {
    data: { api_key: key },
    headers: { Origin: stack.url },
  })
  expect(answer.ok()).toBe(true)
}
