// The error brake that the interface proposes; by default it is off.

export const proposed = 0.5

/** Parses STOP_ERROR_SHARE, above 0 and at most 1; undefined if it is off or invalid. */
export function shareOf(value: unknown): number | undefined {
  const share = Number(value)
  return share > 0 && share <= 1 ? share : undefined
}
