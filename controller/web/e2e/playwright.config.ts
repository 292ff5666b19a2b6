import { defineConfig } from '@playwright/test'

// The browser of this machine; none is downloaded. The flags stop requests to its vendor.
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat([
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
])

const long = /(targets|memory|backfill|funnels)\.spec/

export default defineConfig({
  outputDir: 'results',
  fullyParallel: true,
  workers: 3, // mostly waiting
  // The longest tests run first.
  projects: [
    { name: 'long', testMatch: long },
    { name: 'short', testIgnore: long },
  ],
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  // Only a failing test takes this long: the machine may be busy.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath, args },
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
    screenshot: 'only-on-failure',
    // Traces take a quarter of the time of every test.
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
  },
})
