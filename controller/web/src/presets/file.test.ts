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

it('says what a file is not', () => {
  expect(parseFile('{')).toMatchObject({ kind: 'fault' })
  expect(parseFile('null')).toMatchObject({ kind: 'fault' })
  expect(parseFile('{"name":"x","config":{}}')).toMatchObject({ kind: 'fault' })
  expect(parseFile('{"trafficinator_setup":2}')).toMatchObject({
    kind: 'fault',
    fault: expect.stringContaining('version 2'),
  })
  expect(parseFile('{"trafficinator_preset":1,"name":"x","config":null}')).toMatchObject({ kind: 'fault' })
})

it('tells what a set-up holds, also where parts are missing', () => {
  const got = summarizeSetup({
    config: { A: 1 },
    urls: '# pages\nhttps://a\n\nhttps://b\n',
    mode: 'multi',
    distribution_strategy: 'random',
  })
  expect(got).toMatchObject({
    config: '1',
    urls: '2',
    presets: '0',
    events: 'built-in',
    routing: 'several targets, random',
  })
})

it('names files so that any system takes them', () => {
  expect(fileName('Größe/../x: "1"')).toBe('trafficinator-preset-Größe-x-1.json')
  expect(fileName('💥')).toBe('trafficinator-preset-unnamed.json')
})
