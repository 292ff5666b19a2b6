type Weighted = { enabled: boolean; weight: number }

/** The share of visits, 0 to 1, that a target gets; weights count only with weighted distribution. */
export function share(target: Weighted, all: Weighted[], strategy: string): number {
  if (!target.enabled) return 0
  const weight = (t: Weighted) => (strategy === 'weighted' ? t.weight : 1)
  const sum = all.filter((t) => t.enabled).reduce((n, t) => n + weight(t), 0)
  return sum > 0 ? weight(target) / sum : 0
}
