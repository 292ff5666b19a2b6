import { expect, it } from 'vitest'
import { orderOf, problemsOf } from './problems'
import { newRow, type Table } from './table'

const error = (where: string, message: string) => ({ where, message, severity: 'error' })

it('keeps a problem at its row when the rows have been moved since', () => {
  const [a, b] = [newRow(), newRow()]
  const table: Table = {
    rows: { click_events: [a, b], random_events: [] },
    share: { click_events: '0.2', random_events: '0.1' },
  }
  const order = orderOf(table)
  table.rows.click_events.reverse()
  const problems = problemsOf(
    {
      errors: [
        error('click_events[1].name', 'is missing or empty'),
        error('click_events_probability', 'is not a number'),
      ],
      warnings: [{ where: 'random_events', message: 'has no events', cure: 'add one', severity: 'warning' }],
    },
    order,
  )
  expect(problems.cells.get(b.id)?.name?.message).toBe('is missing or empty')
  expect(problems.cells.has(a.id)).toBe(false)
  expect(problems.shares.click_events?.severity).toBe('error')
  expect(problems.lists.random_events).toEqual({ severity: 'warning', message: 'has no events; add one' })
})

it('loses no problem that has no cell', () => {
  const none: Table = { rows: { click_events: [], random_events: [] }, share: { click_events: '', random_events: '' } }
  const { rest } = problemsOf({ errors: [error('note', 'is unknown')], warnings: null }, orderOf(none))
  expect(rest).toEqual([{ severity: 'error', message: 'note: is unknown' }])
})
