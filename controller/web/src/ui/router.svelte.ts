// The path in the address bar; every page and dialog has one. Paths are relative to the root of the interface, which a
// proxy may serve below a subpath.

/** The props of a page: the parts of the path after its own (for the dashboard: all). */
export type PageProps = { rest: string[] }

/** Returns a question to ask before navigating to a path, or undefined. */
type Guard = (to: string) => string | undefined

/** The root of the interface in the address bar, such as / or /trafficinator/. */
const root = new URL(document.baseURI).pathname

const inside = (pathname: string) => (pathname.startsWith(root) ? '/' + pathname.slice(root.length) : pathname)
const outside = (path: string) => root + path.slice(1)

let path = $state(inside(location.pathname))
const guards = new Set<Guard>()
let asking = $state<{ question: string; go: () => void } | undefined>()

addEventListener('popstate', () => {
  const to = inside(location.pathname)
  if (to === path) return
  const question = ask(to)
  if (!question) {
    path = to
    return
  }
  history.pushState(null, '', outside(path))
  asking = { question, go: () => show(to, false) }
})

/** Returns the first guard's question about a path. */
function ask(to: string): string | undefined {
  for (const guard of guards) {
    const question = guard(to)
    if (question) return question
  }
}

function show(to: string, replace: boolean) {
  history[replace ? 'replaceState' : 'pushState'](null, '', outside(to))
  // Within a page, such as to a dialog, the scroll position stays.
  if (to.split('/')[1] !== path.split('/')[1]) scrollTo(0, 0)
  path = to
}

export const router = {
  /** The path, such as /funnels/3. */
  get path() {
    return path
  },
  /** The parts of the path: the page, then what it shows. */
  get parts() {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  },
  /** A navigation that waits for an answer from the user. */
  get asking() {
    return asking
  },
  answer(leave: boolean) {
    const go = asking?.go
    asking = undefined
    if (leave) go?.()
  },
}

/** Navigates to a path after asking about unsaved changes. `replace` adds no history entry. */
export function navigate(to: string, replace = false) {
  if (to === path) return
  const question = ask(to)
  if (question) asking = { question, go: () => show(to, replace) }
  else show(to, replace)
}

/**
 * Asks `question` before navigation while it returns a text; call it in an $effect and return its result. The guard gets
 * the new path, which is empty if the tab is closed.
 */
export function guardNavigation(question: Guard): () => void {
  guards.add(question)
  const unload = (e: BeforeUnloadEvent) => {
    if (question('')) e.preventDefault()
  }
  addEventListener('beforeunload', unload)
  return () => {
    guards.delete(question)
    removeEventListener('beforeunload', unload)
  }
}

/** Handles plain clicks on internal links without reloading; for the root element. */
export function interceptLinks(node: HTMLElement) {
  const click = (e: MouseEvent) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
    const a = (e.target as Element).closest('a')
    if (!a || a.target || a.hasAttribute('download') || a.dataset.plain !== undefined) return
    if (a.origin !== location.origin || !a.pathname.startsWith(root)) return
    e.preventDefault()
    navigate(inside(a.pathname))
  }
  node.addEventListener('click', click)
  return { destroy: () => node.removeEventListener('click', click) }
}
