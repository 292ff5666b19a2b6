// A target as it is being written, and what is plainly wrong with it before the controller is asked.
import type { Schemas } from '../api/client'
import { words } from '../words'

export type Target = Schemas['SetupTarget']

export type Fields = {
  name: string
  url: string
  site: string
  weight: string
  enabled: boolean
  apiURL: string
  caFile: string
  certFile: string
  keyFile: string
  // Secrets: undefined keeps the saved one.
  token?: string
  readToken?: string
  httpAuth?: string
  headers?: string
  proxy?: string
}

export const fieldsOf = (t: Target): Fields => ({
  name: t.name,
  url: t.url,
  site: String(t.site_id),
  weight: String(t.weight),
  enabled: t.enabled,
  apiURL: t.api_url,
  caFile: t.tls_ca_file,
  certFile: t.tls_cert_file,
  keyFile: t.tls_key_file,
})

/** Tells whether a target is reached otherwise than by its address alone. */
export const isSpecial = (t: Target) =>
  [t.api_url, t.http_auth, t.headers, t.tls_ca_file, t.tls_cert_file, t.tls_key_file, t.proxy_url].some((v) => v !== '')

/** What is wrong, by the API's names of the fields. */
export type Faults = Partial<Record<keyof Body, string>>

type Body = ReturnType<typeof bodyOf>

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

/** What the controller refused: its faults, and the body that they are about. */
export type Refusal = { faults: Faults; body: Body }

/** The faults of a refusal in what has not been changed since. */
export function remaining({ faults, body }: Refusal, f: Fields): Faults {
  const now = bodyOf(f)
  return Object.fromEntries(Object.entries(faults).filter(([k]) => now[k as keyof Body] === body[k as keyof Body]))
}

/** The body of a request; secrets that were not edited are left out, which keeps the saved ones. */
export function bodyOf(f: Fields) {
  const edited = {
    token_auth: f.token,
    read_token: f.readToken,
    http_auth: f.httpAuth,
    headers: f.headers,
    proxy_url: f.proxy,
  }
  return {
    name: f.name.trim(),
    url: f.url.trim(),
    site_id: whole(f.site),
    weight: whole(f.weight),
    enabled: f.enabled,
    api_url: f.apiURL.trim(),
    tls_ca_file: f.caFile.trim(),
    tls_cert_file: f.certFile.trim(),
    tls_key_file: f.keyFile.trim(),
    ...(Object.fromEntries(Object.entries(edited).filter(([, v]) => v !== undefined)) as Partial<
      Record<keyof typeof edited, string>
    >),
  }
}
