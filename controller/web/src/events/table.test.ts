import { describe, expect, it } from 'vitest'
import { contentOf, copyOf, newRow, placeOf, tableOf } from './table'

const file = {
  click_events_probability: 0.25,
  random_events_probability: 0.12,
  click_events: [{ category: 'UI', action: 'zoom', name: '<b>"x"</b>', value: null }],
  random_events: [{ category: 'Error', action: '404', name: 'missing', value: 1.5 }],
}

describe('the table of events', () => {
  it('gives back the file that it was made of', () => {
    expect(JSON.parse(contentOf(tableOf(file)!))).toEqual(file)
  })

  it('keeps what is no number for the server to refuse, and an empty value as none', () => {
    const table = tableOf(file)!
    table.rows.random_events[0]!.value = '1,5'
    table.share.click_events = 'half'
    const out = JSON.parse(contentOf(table))
    expect(out.random_events[0].value).toBe('1,5')
    expect(out.click_events_probability).toBe('half')
    expect(out.click_events[0].value).toBeNull()
  })

  it('sends only the shares that were changed, so that it does not set back the settings', () => {
    const saved = tableOf(file)!
    const edited = tableOf(file)!
    edited.share.random_events = '0.2'
    const out = JSON.parse(contentOf(edited, saved))
    expect(out).not.toHaveProperty('click_events_probability')
    expect(out.random_events_probability).toBe(0.2)
  })

  it('keeps the shares there are where an uploaded file has none', () => {
    const table = tableOf({ click_events: [] }, tableOf(file))!
    expect(table.share).toEqual({ click_events: '0.25', random_events: '0.12' })
    expect(table.rows.random_events).toEqual([])
  })

  it('refuses what is no set of events', () => {
    for (const bad of [null, [], 'x', {}, { click_events: {} }, { click_events: ['a'] }, { note: 1 }])
      expect(tableOf(bad), JSON.stringify(bad)).toBeUndefined()
  })

  it('tells rows apart, copies too', () => {
    const row = newRow()
    expect(copyOf(row).id).not.toBe(row.id)
    expect(newRow().id).not.toBe(row.id)
  })
})

it('finds the cell of a problem', () => {
  expect(placeOf('click_events[12].category')).toEqual({ list: 'click_events', index: 12, field: 'category' })
  expect(placeOf('random_events_probability')).toEqual({ list: 'random_events', field: 'share' })
  expect(placeOf('random_events')).toEqual({ list: 'random_events', field: 'list' })
  expect(placeOf('events')).toBeUndefined()
  expect(placeOf('click_events[0].label')).toBeUndefined()
})
