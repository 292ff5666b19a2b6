import { existsSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'

// In development the pages come from here and everything else from a controller (`make run`).
const controller = process.env.CONTROLLER ?? 'http://127.0.0.1:8000'

// Components are tested in the browser of this machine; none is downloaded.
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const inBrowser = 'src/**/*.browser.test.ts'
if (process.env.VITEST && !existsSync(executablePath))
  console.log(`Component tests are left out: no ${executablePath}.`)

export default defineConfig({
  plugins: [svelte(), tailwindcss()],
  base: './', // a proxy may offer the pages below any path
  build: {
    target: 'es2022',
    // A policy without inline scripts and data URLs: every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: true, // .vite/license.md, of what is in the bundle
  },
  server: {
    // The browser's own host goes along: the controller compares it with the origin of what changes something.
    proxy: Object.fromEntries(
      ['/api', '/health', '/docs', '/openapi.json'].map((path) => [path, { target: controller, changeOrigin: false }]),
    ),
  },
  test: {
    projects: [
      { extends: true, test: { name: 'plain', include: ['src/**/*.test.ts'], exclude: [inBrowser] } },
      ...(existsSync(executablePath)
        ? [
            {
              extends: true as const,
              test: {
                name: 'browser',
                include: [inBrowser],
                browser: {
                  enabled: true,
                  headless: true,
                  screenshotFailures: false,
                  provider: playwright({ launchOptions: { executablePath, args: ['--no-sandbox', '--disable-gpu'] } }),
                  instances: [{ browser: 'chromium' as const }],
                },
              },
            },
          ]
        : []),
    ],
  },
})
