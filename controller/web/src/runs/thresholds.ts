// Thresholds as a person writes them: metric, comparison, bound. What is valid, the controller says.

/** How the values of a metric are written. */
export type Kind = 'share' | 'seconds' | 'rate' | 'count'

/** The metrics that can have a threshold, those that are asked for most first. */
export const metrics = [
  ...['error_share', 'p95', 'p99', 'p50', 'achieved_rate', 'hit_rate'],
  ...['rejected', 'failed', 'unknown', 'shed', 'abandoned', 'accepted', 'visits'],
  ...['accepted_share', 'rejected_share', 'failed_share', 'unknown_share', 'shed_share'],
]

export const operators = ['<', '<=', '>', '>=', '='] as const
export type Operator = (typeof operators)[number]

export type Threshold = { metric: string; operator: Operator; bound: string }

export function kindOf(metric: string): Kind {
  if (/^p\d+$/.test(metric)) return 'seconds'
  if (metric === 'hit_rate') return 'rate'
  return metric === 'achieved_rate' || metric.endsWith('_share') ? 'share' : 'count'
}

const form = /^([a-z_0-9]+)(<=|>=|==|<|>|=)(.*)$/

/** The thresholds of a text; undefined where it is not of their form. */
export function read(text: string): Threshold[] | undefined {
  const out: Threshold[] = []
  for (const part of text.split(',')) {
    const expression = part.replace(/\s+/g, '')
    if (!expression) continue
    const match = form.exec(expression)
    if (!match) return
    const [, metric, operator, bound] = match as unknown as [string, string, string, string]
    out.push({ metric, operator: operator === '==' ? '=' : (operator as Operator), bound })
  }
  return out
}

export const written = (list: Threshold[]) => list.map((t) => t.metric + t.operator + t.bound).join(', ')

/** A bound to begin with, which most runs can keep. */
const usual: Record<string, Omit<Threshold, 'metric'>> = {
  error_share: { operator: '<', bound: '1%' },
  achieved_rate: { operator: '>', bound: '98%' },
  hit_rate: { operator: '>', bound: '1' },
  accepted: { operator: '>', bound: '0' },
  accepted_share: { operator: '>', bound: '99%' },
  visits: { operator: '>', bound: '0' },
}
const ofKind: Record<Kind, Omit<Threshold, 'metric'>> = {
  share: { operator: '<', bound: '1%' },
  seconds: { operator: '<', bound: '800ms' },
  rate: { operator: '>', bound: '1' },
  count: { operator: '=', bound: '0' },
}

/** A threshold of a metric, as one might want it. */
export const suggested = (metric: string): Threshold => ({ metric, ...(usual[metric] ?? ofKind[kindOf(metric)]) })

/** The first metric that a list has no threshold for, suggested. */
export const next = (list: Threshold[]) =>
  suggested(metrics.find((m) => !list.some((t) => t.metric === m)) ?? metrics[0]!)
