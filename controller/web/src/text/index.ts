// Every sentence that a person reads. Functions are sentences with something to fill in.
import { backfill } from './backfill'
import { capacity } from './capacity'
import { configuration } from './configuration'
import { dashboard } from './dashboard'
import { events } from './events'
import { exchange } from './exchange'
import { funnels } from './funnels'
import { hits } from './hits'
import { logs } from './logs'
import { presets } from './presets'
import { profile } from './profile'
import { proof } from './proof'
import { reports } from './reports'
import { runs } from './runs'
import { shell } from './shell'
import { targets } from './targets'
import { urls } from './urls'

export * from './numbers'

export const words = {
  ...shell,
  dashboard,
  runs,
  reports,
  exchange,
  urls,
  funnels,
  hits,
  logs,
  configuration,
  presets,
  profile,
  proof,
  backfill,
  capacity,
  targets,
  events,
}

/** What a setting is called; its env key where it has no name. */
export const nameOf = (key: string) => configuration.names[key] ?? key
