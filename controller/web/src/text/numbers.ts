// Numbers and times in the browser's locale.
const integer = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const significant = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })
const cents = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const toMinutes = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const toSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' })

/** 12,345 */
export const count = (n: number) => integer.format(n)

/** 1 run, 2 runs; `many` is the plural unless it is `one` with an s. */
export const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`

/** Three significant digits: 0.231, 12.4, 1,230. */
export const rate = (n: number) => (n >= 1000 ? integer : significant).format(n)

/** 1,234.50 */
export const money = (n: number) => cents.format(n)

/** A share of 0 to 1 as 98.4 %. Never rounds up to 100 or down to 0. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  const p = share * 100
  if (p > 0 && p < 0.1) return '< 0.1 %'
  if (p < 100 && p > 99.9) return '> 99.9 %'
  return `${significant.format(p)} %`
}

/** Seconds as a latency: 640 µs, 12.3 ms, 1.24 s. */
export function latency(seconds: number): string {
  if (!seconds) return '–'
  if (seconds < 0.001) return `${significant.format(seconds * 1e6)} µs`
  if (seconds < 1) return `${significant.format(seconds * 1e3)} ms`
  return `${significant.format(seconds)} s`
}

/** Seconds as a duration: 42 s, 3 min 20 s, 2 h, 3 d 4 h. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  const parts = (big: number, unit: string, small: number, rest: string) => {
    const left = Math.floor((s % big) / small)
    return `${Math.floor(s / big)} ${unit}${left ? ` ${left} ${rest}` : ''}`
  }
  if (s < 60) return `${s} s`
  if (s < 3600) return parts(60, 'min', 1, 's')
  return s < 86_400 ? parts(3600, 'h', 60, 'min') : parts(86_400, 'd', 3600, 'h')
}

/** An RFC 3339 time in the browser's time zone, to the minute. */
export const dateTime = (rfc3339: string) => toMinutes.format(new Date(rfc3339))

/** The same to the second. */
export const timestamp = (rfc3339: string) => toSeconds.format(new Date(rfc3339))

/** p50 1.2 ms · p99 8 ms */
export const percentiles = (l: { p50: number; p99: number }) => `p50 ${latency(l.p50)}\u00a0· p99 ${latency(l.p99)}`

/** A rate or a latency as an axis label, where 0 is plain. */
export const axisRate = (n: number) => (n === 0 ? '0' : rate(n))
export const axisLatency = (n: number) => (n === 0 ? '0' : latency(n))
