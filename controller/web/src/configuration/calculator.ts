// What a configuration comes to, computed from its settings. Nothing here is measured.

/** The settings that the estimate reads, in the units of the settings. */
export type Inputs = {
  visitsPerDay: number
  concurrency: number
  bulk: boolean
  bulkSize: number
  /** Seconds. */
  bulkDelay: number
  live: boolean
  pages: [least: number, most: number]
  bounce: number
  /** Seconds between two requests of a compressed visit. */
  pause: [least: number, most: number]
  /** Minutes. */
  duration: [least: number, most: number]
  /** The shares of search, outlinks, downloads, click events, random events and orders. */
  features: number[]
  /** 0 is off, as for the two below. */
  stopAfterHours: number
  stopAfterVisits: number
  visitsPer24Hours: number
}

export type Estimate = {
  visitsPerSecond: number
  hitsPerVisit: number
  hitsPerSecond: number
  /** How long a visit is open, in seconds. */
  openSeconds: number
  openVisits: number
  /** Requests in flight at the assumed answer time, and how many there may be. */
  inFlight: number
  /** enough: at most 70 % of CONCURRENCY; tight: within it; short: hits will be shed. */
  capacity: 'enough' | 'tight' | 'short'
  /** Requests a second that CONCURRENCY carries at that answer time. */
  mostPerSecond: number
  /** Seconds until the run ends by itself, and by which setting; undefined where it has no end. */
  end?: { seconds: number; by: 'AUTO_STOP_AFTER_HOURS' | 'STOP_AFTER_VISITS' }
  /** Seconds from the first visit until the cap of 24 hours pauses the run; undefined where it is never reached. */
  pausesAfter?: number
}

const day = 86_400
const middle = ([least, most]: [number, number]) => (least + most) / 2

/** Share of CONCURRENCY up to which there is room for answers that take longer than assumed. */
const comfortable = 0.7

/**
 * Estimates for browsing visits: a bounce is one page; any other visit has its pages, at most one hit for each feature, and
 * the ping that ends it. `answerSeconds` is how long the server takes for a request. Undefined where a number is missing or
 * a range is the wrong way round: then the form says what is wrong.
 */
export function estimate(i: Inputs, answerSeconds: number): Estimate | undefined {
  const numbers = [i.visitsPerDay, i.concurrency, i.bulkSize, i.bulkDelay, i.bounce, ...i.features]
  const ranges = [i.pages, i.pause, i.duration]
  const limits = [i.stopAfterHours, i.stopAfterVisits, i.visitsPer24Hours]
  if (![...numbers, ...ranges.flat(), ...limits].every((n) => Number.isFinite(n) && n >= 0)) return
  if (ranges.some(([least, most]) => least > most) || i.visitsPerDay <= 0 || i.concurrency < 1) return

  const stays = 1 - i.bounce
  const pages = middle(i.pages)
  const extras = i.features.reduce((sum, share) => sum + share, 0)
  const visitsPerSecond = i.visitsPerDay / day
  const hitsPerVisit = i.bounce + stays * (pages + extras + 1)
  const hitsPerSecond = visitsPerSecond * hitsPerVisit
  const openSeconds = stays * (i.live ? middle(i.duration) * 60 : (pages - 1) * middle(i.pause))

  // By Little's law, as for the open visits.
  const perRequest = i.bulk ? Math.min(i.bulkSize, Math.max(1, hitsPerSecond * i.bulkDelay)) : 1
  const inFlight = (hitsPerSecond / perRequest) * answerSeconds
  const load = inFlight / i.concurrency
  return {
    visitsPerSecond,
    hitsPerVisit,
    hitsPerSecond,
    openSeconds,
    openVisits: visitsPerSecond * openSeconds,
    inFlight,
    capacity: load <= comfortable ? 'enough' : load <= 1 ? 'tight' : 'short',
    mostPerSecond: i.concurrency / answerSeconds,
    end: end(i, visitsPerSecond),
    pausesAfter:
      i.visitsPer24Hours > 0 && i.visitsPer24Hours < i.visitsPerDay ? i.visitsPer24Hours / visitsPerSecond : undefined,
  }
}

function end(i: Inputs, visitsPerSecond: number): Estimate['end'] {
  const ends: NonNullable<Estimate['end']>[] = []
  if (i.stopAfterHours > 0) ends.push({ seconds: i.stopAfterHours * 3600, by: 'AUTO_STOP_AFTER_HOURS' })
  if (i.stopAfterVisits > 0) {
    const cap = i.visitsPer24Hours
    // With a cap the visits of full windows come first, a window a day.
    const full = cap > 0 && cap < i.visitsPerDay ? Math.ceil(i.stopAfterVisits / cap) - 1 : 0
    ends.push({ seconds: full * day + (i.stopAfterVisits - full * cap) / visitsPerSecond, by: 'STOP_AFTER_VISITS' })
  }
  return ends.sort((a, b) => a.seconds - b.seconds)[0]
}

/** The inputs as a form holds them; `read` gives the text of a setting. */
export function inputs(read: (key: string) => string): Inputs {
  const n = (key: string) => {
    const text = read(key).trim()
    return text === '' ? NaN : Number(text)
  }
  return {
    visitsPerDay: n('TARGET_VISITS_PER_DAY'),
    concurrency: n('CONCURRENCY'),
    bulk: read('SEND_MODE') === 'bulk',
    bulkSize: n('BULK_SIZE'),
    bulkDelay: n('BULK_MAX_DELAY'),
    live: read('TIMELINE') === 'live',
    pages: [n('PAGEVIEWS_MIN'), n('PAGEVIEWS_MAX')],
    bounce: n('BOUNCE_PROBABILITY'),
    pause: [n('PAUSE_BETWEEN_PVS_MIN'), n('PAUSE_BETWEEN_PVS_MAX')],
    duration: [n('VISIT_DURATION_MIN'), n('VISIT_DURATION_MAX')],
    features: [
      n('SITESEARCH_PROBABILITY'),
      n('OUTLINKS_PROBABILITY'),
      n('DOWNLOADS_PROBABILITY'),
      n('CLICK_EVENTS_PROBABILITY'),
      n('RANDOM_EVENTS_PROBABILITY'),
      n('ECOMMERCE_PROBABILITY'),
    ],
    stopAfterHours: n('AUTO_STOP_AFTER_HOURS'),
    stopAfterVisits: n('STOP_AFTER_VISITS'),
    visitsPer24Hours: n('MAX_TOTAL_VISITS'),
  }
}
