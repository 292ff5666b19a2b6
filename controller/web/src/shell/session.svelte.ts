// Whether this browser is signed in. The session is a cookie that scripts cannot read; no key is kept here.
import { api, ApiError } from '../api/client'
import { errorText } from '../errors'

export const session = $state<{ state: 'unknown' | 'in' | 'out'; message: string }>({ state: 'unknown', message: '' })

/** Checks whether the browser is signed in, after using the code of a sign-in link if the URL has one. */
export async function enter() {
  const code = new URLSearchParams(location.hash.slice(1)).get('code')
  if (code) {
    history.replaceState(null, '', location.pathname)
    try {
      await api.POST('/api/session', { body: { code } })
    } catch (e) {
      session.message = errorText(e)
    }
  }
  try {
    const { signed_in } = await api.GET('/api/session')
    session.state = signed_in ? 'in' : 'out'
  } catch (e) {
    session.message = e instanceof ApiError && e.status !== 401 ? e.message : session.message
    session.state = 'out'
  }
}

/** Signs in by key; throws the controller's error. */
export async function signIn(key: string) {
  await api.POST('/api/session', { body: { api_key: key } })
  session.state = 'in'
}

export async function signOut() {
  await api.DELETE('/api/session')
  session.state = 'out'
}
