// Words that a text setting is likely to hold, for its input to offer.

const kinds: Record<string, 'timeZone' | 'currency'> = { TIMEZONE: 'timeZone', ECOMMERCE_CURRENCY: 'currency' }

/** The words for a setting; none for most. */
export function suggestions(key: string): string[] {
  const kind = kinds[key]
  return kind ? Intl.supportedValuesOf(kind) : []
}
