// A target as it is being written, and what is plainly wrong with it before the controller is asked.
import type { Schemas } from '../api/client'
import { words } from '../words'

export type Target = Schemas['LibraryTarget']

export type Fields = {
  name: string
  url: string
  site: string
  weight: string
  enabled: boolean
  token?: string
  readToken?: string
}

export const fieldsOf = (t: Target): Fields => ({
  name: t.name,
  url: t.url,
  site: String(t.site_id),
  weight: String(t.weight),
  enabled: t.enabled,
})

export type Faults = Partial<
  Record<'name' | 'url' | 'site_id' | 'weight' | 'token_auth' | 'read_token' | 'enabled', string>
>

const whole = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : NaN)

/** What is wrong by the API's names of the fields; `others` are the names of the other targets. */
export function faultsOf(f: Fields, others: string[]): Faults {
  const w = words.targets.form
  const out: Faults = {}
  const name = f.name.trim().toLowerCase()
  if (!name) out.name = w.needName
  else if (others.some((o) => o.toLowerCase() === name)) out.name = w.nameTaken
  if (!/^https?:\/\/./i.test(f.url.trim())) out.url = w.needURL
  if (!(whole(f.site) >= 1)) out.site_id = w.needSite
  if (!(whole(f.weight) >= 1 && whole(f.weight) <= 100)) out.weight = w.needWeight
  return out
}

/** The body of a request; tokens that were not edited are left out, which keeps the saved ones. */
export function bodyOf(f: Fields) {
  return {
    name: f.name.trim(),
    url: f.url.trim(),
    site_id: whole(f.site),
    weight: whole(f.weight),
    enabled: f.enabled,
    ...(f.token === undefined ? {} : { token_auth: f.token }),
    ...(f.readToken === undefined ? {} : { read_token: f.readToken }),
  }
}
