// Text that several places show, by key. Other text is written where it is shown.
import { backfill } from './backfill'
import { capacity } from './capacity'
import { configuration } from './configuration'
import { dashboard } from './dashboard'
import { hits } from './hits'
import { presets } from './presets'
import { profile } from './profile'
import { runs } from './runs'
import { names } from './settings.gen'
import { shell } from './shell'

export * from './numbers'
export { keys } from './settings.gen'

export const words = {
  ...shell,
  dashboard,
  runs,
  hits,
  configuration,
  presets,
  profile,
  backfill,
  capacity,
}

/** The name of a setting, else its env key. */
export const nameOf = (key: string) => names[key] ?? key
