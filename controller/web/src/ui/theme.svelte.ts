// The light or dark theme, stored in this browser.
export type Theme = 'system' | 'light' | 'dark'

const system = matchMedia('(prefers-color-scheme: dark)')
let systemDark = $state(system.matches)
let chosen = $state<Theme>((document.documentElement.dataset.theme as Theme | undefined) ?? 'system')

system.addEventListener('change', (e) => {
  systemDark = e.matches
  paint()
})

function paint() {
  document.documentElement.dataset.shade = theme.dark ? 'dark' : 'light'
}

export const theme = {
  get chosen() {
    return chosen
  },
  get dark() {
    return chosen === 'dark' || (chosen === 'system' && systemDark)
  },
  choose(t: Theme) {
    chosen = t
    try {
      localStorage.setItem('theme', t)
    } catch {
      // Storage may be blocked; then the choice lasts until the page is closed.
    }
    paint()
  },
}
paint()
