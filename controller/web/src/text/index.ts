// Every sentence that a person reads. Functions are sentences with something to fill in.
import { backfill } from './backfill'
import { capacity } from './capacity'
import { configuration } from './configuration'
import { dashboard } from './dashboard'
import { events } from './events'
import { sharedFile } from './sharedfile'
import { funnels } from './funnels'
import { hits } from './hits'
import { logs } from './logs'
import { presets } from './presets'
import { profile } from './profile'
import { reconcile } from './reconcile'
import { benchmark } from './benchmark'
import { runs } from './runs'
import { names } from './settings.gen'
import { shell } from './shell'
import { targets } from './targets'
import { urls } from './urls'

export * from './numbers'
export { keys } from './settings.gen'

export const words = {
  ...shell,
  dashboard,
  runs,
  benchmark,
  sharedFile,
  urls,
  funnels,
  hits,
  logs,
  configuration,
  presets,
  profile,
  reconcile,
  backfill,
  capacity,
  targets,
  events,
}

/** The name of a setting, else its env key. */
export const nameOf = (key: string) => names[key] ?? key
