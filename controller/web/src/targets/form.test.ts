import { expect, it } from 'vitest'
import { bodyOf, faultsOf, remaining, type Fields } from './form'

const good: Fields = {
  name: 'Main',
  url: 'https://a.test/matomo.php',
  site: '1',
  weight: '50',
  enabled: true,
  apiURL: '',
  caFile: '',
  certFile: '',
  keyFile: '',
}

it('names every fault of a target at once', () => {
  expect(Object.keys(faultsOf({ ...good, name: ' ', url: 'a.test', site: '0', weight: '101' }, []))).toEqual([
    'name',
    'url',
    'site_id',
    'weight',
  ])
  expect(faultsOf({ ...good, site: '1.5', weight: '' }, [])).toHaveProperty('weight')
  expect(faultsOf(good, ['Other'])).toEqual({})
})

it('takes names that differ in case alone for the same', () => {
  expect(faultsOf(good, ['MAIN'])).toHaveProperty('name')
})

it('leaves a secret out that was not edited, and sends an empty one to remove it', () => {
  expect(bodyOf(good)).not.toHaveProperty('token_auth')
  expect(bodyOf({ ...good, token: '' }).token_auth).toBe('')
  expect(bodyOf(good)).not.toHaveProperty('read_token')
  expect(bodyOf({ ...good, readToken: 'r' }).read_token).toBe('r')
  for (const secret of ['http_auth', 'headers', 'proxy_url']) expect(bodyOf(good)).not.toHaveProperty(secret)
  expect(bodyOf({ ...good, httpAuth: 'u:p', headers: '', proxy: 'none' })).toMatchObject({
    http_auth: 'u:p',
    headers: '',
    proxy_url: 'none',
  })
})

it('keeps what the controller refused until that field is changed', () => {
  const sent = { ...good, apiURL: 'nowhere', httpAuth: 'load' }
  const refusal = { faults: { api_url: 'is no address', http_auth: 'has no colon' }, body: bodyOf(sent) }
  expect(Object.keys(remaining(refusal, { ...sent, site: '2' }))).toEqual(['api_url', 'http_auth'])
  expect(Object.keys(remaining(refusal, { ...sent, apiURL: '' }))).toEqual(['http_auth'])
  expect(Object.keys(remaining(refusal, { ...sent, httpAuth: undefined }))).toEqual(['api_url'])
})
