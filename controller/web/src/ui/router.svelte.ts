// Where the reader is: a path of this page, kept in the address bar. Every page and dialog has one. Paths begin with / at
// the root of the interface, which a proxy may have put below a path of its own.

/** What a page is given: the parts of the path after its own; to the dashboard, which has none, all of them. */
export type PageProps = { rest: string[] }

/** A question before going to a path with unsaved edits: the sentence to ask, or nothing where they survive. */
type Guard = (to: string) => string | undefined

/** The path of the interface's root in the address bar, such as / or /trafficinator/. */
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

/** The first question that stands before a path. */
function ask(to: string): string | undefined {
  for (const guard of guards) {
    const question = guard(to)
    if (question) return question
  }
}

function show(to: string, replace: boolean) {
  history[replace ? 'replaceState' : 'pushState'](null, '', outside(to))
  // A dialog or a part of the same page leaves the reader where they were.
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
  /** What stands between the reader and the next page, for the shell to ask. */
  get asking() {
    return asking
  },
  answer(leave: boolean) {
    const go = asking?.go
    asking = undefined
    if (leave) go?.()
  },
}

/** Goes to a path. Unsaved edits are asked about first. `replace` leaves no step back. */
export function navigate(to: string, replace = false) {
  if (to === path) return
  const question = ask(to)
  if (question) asking = { question, go: () => show(to, replace) }
  else show(to, replace)
}

/**
 * Asks before a path is left while `question` returns a sentence; call it in an $effect and return what it returns. It is
 * given the path to come, empty where the browser leaves the interface.
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

/** Makes plain clicks on links within the interface change the path alone; for the root element. */
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
