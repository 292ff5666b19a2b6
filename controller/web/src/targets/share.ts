// How visits are shared among targets.

type Dealt = { enabled: boolean; weight: number }

/** The share of visits, 0 to 1, that a target gets among all; in turn and by chance weights have no meaning. */
export function share(target: Dealt, all: Dealt[], strategy: string): number {
  if (!target.enabled) return 0
  const weight = (t: Dealt) => (strategy === 'weighted' ? t.weight : 1)
  const sum = all.filter((t) => t.enabled).reduce((n, t) => n + weight(t), 0)
  return sum > 0 ? weight(target) / sum : 0
}
