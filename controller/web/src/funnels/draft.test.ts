import { describe, expect, it } from 'vitest'
import { blank, body, byField, early, freeName, isValidOrder, moments, newStep, shareOf } from './draft'
import { fromTemplate, hostOf, templateNames } from './templates'

describe('draft', () => {
  it('sends of a step what its type has, and keeps page and title when the type changes', () => {
    const step = newStep({
      type: 'event',
      url: 'https://a.test/',
      title: 'A',
      event_category: 'Video',
      target_url: 'x',
    })
    const sent = () => body({ ...blank(), steps: [step] }).steps[0]!
    expect(sent()).toMatchObject({ type: 'event', url: 'https://a.test/', title: 'A', event_category: 'Video' })
    expect(sent()).not.toHaveProperty('target_url')
    expect(sent()).not.toHaveProperty('id')
    step.type = 'download'
    expect(sent()).toMatchObject({ type: 'download', url: 'https://a.test/', title: 'A', target_url: 'x' })
    expect(sent()).not.toHaveProperty('event_category')
  })

  it('gives a copy a name that is free, whatever the case and however long', () => {
    expect(freeName('Lead copy', ['Lead'])).toBe('Lead copy')
    expect(freeName('Lead copy', ['LEAD COPY', 'Lead copy 2'])).toBe('Lead copy 3')
    const long = '😀'.repeat(120)
    expect(Array.from(freeName(long, [])).length).toBe(100)
    expect(freeName(long, [freeName(long, [])])).toMatch(/ 2$/)
  })

  it('computes the share that is left by lower priorities', () => {
    const others = [
      { priority: 0, probability: 0.5, enabled: true },
      { priority: 1, probability: 0.5, enabled: false },
      { priority: 2, probability: 0.5, enabled: true },
    ]
    expect(shareOf({ priority: 2, probability: 0.4, enabled: true }, others)).toBeCloseTo(0.2)
    expect(shareOf({ priority: 0, probability: 0.4, enabled: true }, others)).toBeCloseTo(0.4)
    expect(shareOf({ priority: 3, probability: 1, enabled: true }, others)).toBeCloseTo(0.25)
    expect(shareOf({ priority: 0, probability: 1, enabled: false }, others)).toBe(0)
  })

  it('adds delays up to the earliest and the latest moment', () => {
    const steps = [newStep({ delay_seconds_min: 3, delay_seconds_max: 8 }), newStep({ delay_seconds_max: null })]
    expect(moments(steps)).toEqual([
      { from: 0, to: 0 },
      { from: 3, to: 8 },
      { from: 3, to: 8 },
    ])
  })

  it('puts errors to their fields and does not press for what is still empty', () => {
    const draft = { ...blank(), priority: -1 }
    const errors = byField([
      { where: 'name', message: 'is missing' },
      { where: 'funnel.steps[0].url', message: 'is missing' },
      { where: 'priority', message: 'is below 0' },
    ])
    expect(errors['steps[0].url']).toBe('is missing')
    expect(early(errors, draft)).toEqual({ priority: 'is below 0' })
  })
})

describe('templates', () => {
  it.each(templateNames)('%s begins with a pageview, on the given host', (name) => {
    const draft = fromTemplate(name, 'https://www.example.org')
    expect(isValidOrder(draft.steps)).toBe(true)
    expect(draft.steps.every((s) => s.url.startsWith('https://www.example.org/'))).toBe(true)
  })
  it('tracks the PDF of the lead as a download', () => {
    const steps = fromTemplate('lead', 'https://a.test').steps
    expect(steps.filter((s) => s.target_url.endsWith('.pdf')).map((s) => s.type)).toEqual(['download'])
  })
  it('lies on the host of the saved pages, or on SITE_URL where those are the built-in ones', () => {
    expect(hostOf('custom', 'https://shop.mine.org/a', 'https://other.org')).toBe('https://shop.mine.org')
    expect(hostOf('default', 'https://shop.example.test/a', 'https://other.org')).toBe('https://other.org')
    expect(hostOf('default', 'https://shop.example.test/a', '')).toBe('https://shop.example.test')
    expect(hostOf('custom', undefined, undefined)).toBe('https://shop.example.test')
  })
})
