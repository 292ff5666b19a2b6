// The form of a target, by the API's field names, and its validation before it is sent.
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
  headers: { label: 'Headers', help: 'Sent with every request, one “Name: value” per line.' },
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

/** Texts as typed; undefined keeps a saved secret. */
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
 * The fields of a new target. The first one gets the address and site of the configuration, whose values `setting`
 * returns.
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

/** Whether a target has connection settings besides its URL. */
export const isSpecial = (t: Target) => [...paths, 'http_auth', 'headers', 'proxy_url'].some((key) => t[key as 'url'])

type Body = ReturnType<typeof bodyOf>

/** Error messages by field. */
export type FieldErrors = Partial<Record<keyof Body, string>>

const integer = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : NaN)

/** Validates the fields; `others` are the names of the other targets. */
export function validate(f: Fields, others: string[]): FieldErrors {
  const out: FieldErrors = {}
  const name = f.name.trim().toLowerCase()
  if (!name) out.name = 'Enter a name.'
  else if (others.some((o) => o.toLowerCase() === name)) out.name = 'This name is already used.'
  if (!/^https?:\/\/./i.test(f.url.trim())) out.url = 'Enter a URL starting with http:// or https://.'
  if (!(integer(f.site_id) >= 1)) out.site_id = 'Enter a whole number of 1 or more.'
  if (!(integer(f.weight) >= 1 && integer(f.weight) <= 100)) out.weight = 'Enter a whole number from 1 to 100.'
  return out
}

/** A rejected request: its errors and its body. */
export type Rejection = { errors: FieldErrors; body: Body }

/** The errors of fields that have not changed since the rejection. */
export function unresolved({ errors, body }: Rejection, f: Fields): FieldErrors {
  const now = bodyOf(f)
  return Object.fromEntries(Object.entries(errors).filter(([k]) => now[k as keyof Body] === body[k as keyof Body]))
}

/** The body of a request; it omits unedited secrets, which keeps the saved ones. */
export const bodyOf = (f: Fields) => ({
  ...pick(['name', 'url', ...paths], (key) => f[key].trim()),
  site_id: integer(f.site_id),
  weight: integer(f.weight),
  enabled: f.enabled,
  ...(pick(
    secrets.filter((key) => f[key] !== undefined),
    (key) => f[key]!,
  ) as Partial<Record<(typeof secrets)[number], string>>),
})

/** Whether it is the only enabled target, which cannot be disabled or deleted. */
export const isLast = (t: Target, all: Target[], mode: string) =>
  mode === 'multi' && t.enabled && all.filter((o) => o.enabled).length === 1
