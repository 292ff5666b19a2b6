// Before the first paint: a page that is to be dark must not flash white. src/ui/theme.svelte.ts does the rest.
let theme
try {
  theme = localStorage.getItem('theme')
} catch {
  // Storage may be forbidden; then the system decides.
}
const root = document.documentElement
if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
const dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
root.dataset.shade = dark ? 'dark' : 'light'
