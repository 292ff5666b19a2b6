import { expect, it } from 'vitest'
import { bodyOf, validate, unresolved, type Fields } from './form'

const good: Fields = {
  name: 'Main',
  url: 'https://a.test/matomo.php',
  site_id: '1',
  weight: '50',
  enabled: true,
  api_url: '',
  tls_ca_file: '',
  tls_cert_file: '',
  tls_key_file: '',
}

it('names every fault of a target at once', () => {
  expect(Object.keys(validate({ ...good, name: ' ', url: 'a.test', site_id: '0', weight: '101' }, []))).toEqual([
    'name',
    'url',
    'site_id',
    'weight',
  ])
  expect(validate({ ...good, site_id: '1.5', weight: '' }, [])).toHaveProperty('weight')
  expect(validate(good, ['Other'])).toEqual({})
})

it('takes names that differ in case alone for the same', () => {
  expect(validate(good, ['MAIN'])).toHaveProperty('name')
})

it('leaves a secret out that was not edited, and sends an empty one to remove it', () => {
  expect(bodyOf(good)).not.toHaveProperty('token_auth')
  expect(bodyOf({ ...good, token_auth: '' }).token_auth).toBe('')
  expect(bodyOf(good)).not.toHaveProperty('read_token')
  expect(bodyOf({ ...good, read_token: 'r' }).read_token).toBe('r')
  for (const secret of ['http_auth', 'headers', 'proxy_url']) expect(bodyOf(good)).not.toHaveProperty(secret)
  expect(bodyOf({ ...good, http_auth: 'u:p', headers: '', proxy_url: 'none' })).toMatchObject({
    http_auth: 'u:p',
    headers: '',
    proxy_url: 'none',
  })
})

it('keeps what the controller refused until that field is changed', () => {
  const sent = { ...good, api_url: 'nowhere', http_auth: 'load' }
  const refusal = { errors: { api_url: 'is no address', http_auth: 'has no colon' }, body: bodyOf(sent) }
  expect(Object.keys(unresolved(refusal, { ...sent, site_id: '2' }))).toEqual(['api_url', 'http_auth'])
  expect(Object.keys(unresolved(refusal, { ...sent, api_url: '' }))).toEqual(['http_auth'])
  expect(Object.keys(unresolved(refusal, { ...sent, http_auth: undefined }))).toEqual(['api_url'])
})
