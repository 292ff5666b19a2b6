// How far a run is from the ends that its configuration sets.

/** A limit that is set; `share` of it, 0 to 1, is used up. */
export type Limit =
  | { kind: 'time'; share: number; used: number; all: number; left: number }
  | { kind: 'visits' | 'cap'; share: number; used: number; all: number; left: number }
  /** A cap of which the window that goes on is not known. */
  | { kind: 'cap'; share?: undefined; all: number }

export type Progress = {
  /** Seconds since the run began. */
  elapsed: number
  /** Visits that began in the run; undefined where nothing has been measured. */
  visits?: number
  /** 0 is off, as in the settings. */
  hours: number
  total: number
  perDay: number
}

const day = 86_400

/** The limits that are set, the one that is nearest to its end first. */
export function limits(p: Progress): Limit[] {
  const out: Limit[] = []
  if (p.hours > 0) out.push({ kind: 'time', ...part(p.elapsed, p.hours * 3600) })
  if (p.total > 0 && p.visits !== undefined) out.push({ kind: 'visits', ...part(p.visits, p.total) })
  if (p.perDay > 0) {
    // The windows begin with visits, so only that of the first day is known from outside.
    if (p.elapsed < day && p.visits !== undefined) out.push({ kind: 'cap', ...part(p.visits, p.perDay) })
    else out.push({ kind: 'cap', all: p.perDay })
  }
  return out.sort((a, b) => (b.share ?? -1) - (a.share ?? -1))
}

function part(used: number, all: number) {
  return { used: Math.min(used, all), all, left: Math.max(0, all - used), share: Math.min(1, used / all) }
}
