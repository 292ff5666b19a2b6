import { expect, it } from 'vitest'
import { summarizeSetup, fileName, toFile, parseFile } from './file'

it('reads a preset that it has written', () => {
  const p = {
    id: '3',
    name: 'A "b" <c>',
    description: 'd',
    values: { CONCURRENCY: 10 },
    targets: { mode: 'multi', distribution_strategy: 'random', targets: [] },
  }
  const got = parseFile(JSON.stringify(toFile(p)))
  expect(got).toMatchObject({
    kind: 'preset',
    preset: { name: p.name, description: 'd', config: p.values, targets: p.targets },
  })
})

it('reports invalid files', () => {
  expect(parseFile('{')).toMatchObject({ kind: 'fault' })
  expect(parseFile('null')).toMatchObject({ kind: 'fault' })
  expect(parseFile('{"name":"x","config":{}}')).toMatchObject({ kind: 'fault' })
  expect(parseFile('{"trafficinator_setup":2}')).toMatchObject({
    kind: 'fault',
    fault: expect.stringContaining('version 2'),
  })
  expect(parseFile('{"trafficinator_preset":1,"name":"x","config":null}')).toMatchObject({ kind: 'fault' })
})

it('summarizes a setup, even if parts are missing', () => {
  const got = summarizeSetup({
    config: { A: 1 },
    urls: '# pages\nhttps://a\n\nhttps://b\n',
    mode: 'multi',
    distribution_strategy: 'random',
  })
  expect(got).toMatchObject({
    'Changed settings': '1',
    Pages: '2',
    Presets: '0',
    Events: 'built-in',
    Routing: 'several targets, random',
  })
})

it('has file names that are valid on any system', () => {
  expect(fileName('Größe/../x: "1"')).toBe('trafficinator-preset-Größe-x-1.json')
  expect(fileName('💥')).toBe('trafficinator-preset-unnamed.json')
})
