/** Returns a formatter of Unix milliseconds in a time zone: an IANA name, or Matomo's UTC+5.5, unknown to browsers. */
export function dateFormatter(
  zone: string,
  options: Intl.DateTimeFormatOptions,
  locale?: string,
): (ms: number) => string {
  const hours = /^UTC([+-]\d+(?:\.\d+)?)$/.exec(zone)
  const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: hours ? 'UTC' : zone })
  const ahead = hours ? Number(hours[1]) * 3_600_000 : 0
  return (ms) => format.format(ms + ahead)
}
