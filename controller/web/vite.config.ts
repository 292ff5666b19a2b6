import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vitest/config'

// In development the pages come from here and everything else from a controller (`make run`).
const controller = process.env.CONTROLLER ?? 'http://127.0.0.1:8000'

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
  test: { include: ['src/**/*.test.ts'] },
})
