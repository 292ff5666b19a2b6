// Threshold expressions: metric, operator, bound. The controller validates them.

/** The unit of a metric. */
export type Unit = 'share' | 'seconds' | 'rate' | 'count'

/** The metrics of thresholds, the commonest first. */
export const metrics = [
  ...['error_share', 'p95', 'p99', 'p50', 'achieved_rate', 'hit_rate'],
  ...['rejected', 'failed', 'unknown', 'shed', 'abandoned', 'accepted', 'visits'],
  ...['accepted_share', 'rejected_share', 'failed_share', 'unknown_share', 'shed_share'],
]

export const operators = ['<', '<=', '>', '>=', '='] as const
export type Operator = (typeof operators)[number]

export type Threshold = { metric: string; operator: Operator; bound: string }

export function unitOf(metric: string): Unit {
  if (/^p\d+$/.test(metric)) return 'seconds'
  if (metric === 'hit_rate') return 'rate'
  return metric === 'achieved_rate' || metric.endsWith('_share') ? 'share' : 'count'
}

const pattern = /^([a-z_0-9]+)(<=|>=|==|<|>|=)(.*)$/

/** Parses comma-separated thresholds; undefined if one is malformed. */
export function parseThresholds(text: string): Threshold[] | undefined {
  const out: Threshold[] = []
  for (const part of text.split(',')) {
    const expression = part.replace(/\s+/g, '')
    if (!expression) continue
    const match = pattern.exec(expression)
    if (!match) return
    const [, metric, operator, bound] = match as unknown as [string, string, string, string]
    out.push({ metric, operator: operator === '==' ? '=' : (operator as Operator), bound })
  }
  return out
}

export const formatThresholds = (list: Threshold[]) => list.map((t) => t.metric + t.operator + t.bound).join(', ')

/** Default bounds, which most runs pass. */
const defaults: Record<string, Omit<Threshold, 'metric'>> = {
  error_share: { operator: '<', bound: '1%' },
  achieved_rate: { operator: '>', bound: '98%' },
  hit_rate: { operator: '>', bound: '1' },
  accepted: { operator: '>', bound: '0' },
  accepted_share: { operator: '>', bound: '99%' },
  visits: { operator: '>', bound: '0' },
}
const defaultsByUnit: Record<Unit, Omit<Threshold, 'metric'>> = {
  share: { operator: '<', bound: '1%' },
  seconds: { operator: '<', bound: '800ms' },
  rate: { operator: '>', bound: '1' },
  count: { operator: '=', bound: '0' },
}

/** The default threshold of a metric. */
export const defaultThreshold = (metric: string): Threshold => ({
  metric,
  ...(defaults[metric] ?? defaultsByUnit[unitOf(metric)]),
})

/** The default threshold of the first metric that is not in the list. */
export const nextThreshold = (list: Threshold[]) =>
  defaultThreshold(metrics.find((m) => !list.some((t) => t.metric === m)) ?? metrics[0]!)
