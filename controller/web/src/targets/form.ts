// A target as it is being written, by the API's names of the fields, and what is plainly wrong with it before the controller
// is asked.
import type { Schemas } from '../api/client'

export type Target = Schemas['StoredTarget']

const paths = ['api_url', 'tls_ca_file', 'tls_cert_file', 'tls_key_file'] as const
const secrets = ['token_auth', 'read_token', 'http_auth', 'headers', 'proxy_url'] as const

/** The labels and help of the fields about how a target is reached. */
export const connectionFields = {
  api_url: {
    label: 'Reporting API URL',
    help: 'Only if index.php is not next to the tracker, for example https://host/index.php.',
  },
  http_auth: {
    label: 'User and password',
    help: 'user:password, if the server in front of Matomo requires it.',
  },
  headers: { label: 'Headers', help: 'Sent with every request, one “Name: value” a line.' },
  proxy_url: {
    label: 'Proxy',
    help: 'http://user:password@host:port, or “none” for a direct connection. Default: the configured proxy.',
  },
  tls_ca_file: {
    label: 'CA certificates',
    help: 'PEM file to trust in addition to the system’s CAs. Relative to data/controller.',
  },
  tls_cert_file: { label: 'Client certificate', help: 'PEM file.' },
  tls_key_file: {
    label: 'Client certificate key',
    help: 'PEM file. Default: the file of the client certificate.',
  },
}

/** Texts as they are typed. Of a secret undefined keeps the saved one. */
export type Fields = Record<'name' | 'url' | 'site_id' | 'weight' | (typeof paths)[number], string> &
  Partial<Record<(typeof secrets)[number], string>> & { enabled: boolean }

const pick = <K extends string>(keys: readonly K[], of: (key: K) => string) =>
  Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, string>

export const fieldsOf = (t: Target): Fields => ({
  ...pick(['name', 'url', ...paths], (key) => t[key]),
  site_id: String(t.site_id),
  weight: String(t.weight),
  enabled: t.enabled,
})

/**
 * The fields of a new target. The first begins with the address and the site of the single one, so that nothing is typed
 * twice; `setting` gives what is in the form of the configuration.
 */
export function freshFields(first: boolean, setting: (key: string) => string): Fields {
  const of = (key: string) => (first ? setting(key) : '')
  return {
    name: first ? 'Primary' : '',
    url: of('MATOMO_URL'),
    site_id: of('MATOMO_SITE_ID') || '1',
    weight: first ? '100' : '50',
    enabled: true,
    api_url: of('MATOMO_API_URL'),
    tls_ca_file: '',
    tls_cert_file: of('TLS_CERT_FILE'),
    tls_key_file: of('TLS_KEY_FILE'),
  }
}

/** Tells whether a target is reached otherwise than by its address alone. */
export const isSpecial = (t: Target) => [...paths, 'http_auth', 'headers', 'proxy_url'].some((key) => t[key as 'url'])

type Body = ReturnType<typeof bodyOf>

/** What is wrong, by field. */
export type FieldErrors = Partial<Record<keyof Body, string>>

const whole = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : NaN)

/** What is wrong; `others` are the names of the other targets. */
export function validate(f: Fields, others: string[]): FieldErrors {
  const out: FieldErrors = {}
  const name = f.name.trim().toLowerCase()
  if (!name) out.name = 'Enter a name.'
  else if (others.some((o) => o.toLowerCase() === name)) out.name = 'This name is already used.'
  if (!/^https?:\/\/./i.test(f.url.trim())) out.url = 'Enter a URL starting with http:// or https://.'
  if (!(whole(f.site_id) >= 1)) out.site_id = 'Enter a whole number of 1 or more.'
  if (!(whole(f.weight) >= 1 && whole(f.weight) <= 100)) out.weight = 'Enter a whole number from 1 to 100.'
  return out
}

/** What the controller refused: its errors, and the body that they are about. */
export type Refusal = { errors: FieldErrors; body: Body }

/** The errors of a refusal in what has not been changed since. */
export function unresolved({ errors, body }: Refusal, f: Fields): FieldErrors {
  const now = bodyOf(f)
  return Object.fromEntries(Object.entries(errors).filter(([k]) => now[k as keyof Body] === body[k as keyof Body]))
}

/** The body of a request; secrets that were not edited are left out, which keeps the saved ones. */
export const bodyOf = (f: Fields) => ({
  ...pick(['name', 'url', ...paths], (key) => f[key].trim()),
  site_id: whole(f.site_id),
  weight: whole(f.weight),
  enabled: f.enabled,
  ...(pick(
    secrets.filter((key) => f[key] !== undefined),
    (key) => f[key]!,
  ) as Partial<Record<(typeof secrets)[number], string>>),
})

/** Whether a target may not go because visits would have nowhere to go. */
export const isLast = (t: Target, all: Target[], mode: string) =>
  mode === 'multi' && t.enabled && all.filter((o) => o.enabled).length === 1
