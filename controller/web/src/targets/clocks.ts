/** Tells whether two time zones show the same time in winter and in summer; undefined where one is not known here. */
export function sameClock(a: string, b: string, year = new Date().getUTCFullYear()): boolean | undefined {
  try {
    return [0, 3, 6, 9].every((month) => {
      const moment = new Date(Date.UTC(year, month, 15, 12))
      return clock(a, moment) === clock(b, moment)
    })
  } catch {
    return undefined
  }
}

const clock = (timeZone: string, moment: Date) =>
  new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(moment)
