// The error brake that the interface proposes. Without the interface it is off.

/** Where more than half of the hits fail, going on tells nothing more. */
export const proposed = 0.5

/** The share of STOP_ERROR_SHARE, above 0 and at most 1; undefined where it is off or no number. */
export function shareOf(value: unknown): number | undefined {
  const share = Number(value)
  return share > 0 && share <= 1 ? share : undefined
}
