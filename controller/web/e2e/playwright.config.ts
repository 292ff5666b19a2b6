import { defineConfig } from '@playwright/test'

// The browser of this machine; none is downloaded. Its flags keep it from asking its maker anything.
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
  workers: 3, // many wait
  // What takes longest comes first, so that none of it is left for the end.
  projects: [
    { name: 'long', testMatch: long },
    { name: 'short', testIgnore: long },
  ],
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  // Only a test that fails waits so long: the machine may be busy with other things.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath, args },
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
    screenshot: 'only-on-failure',
    // It takes a quarter of the time of every test.
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
  },
})
