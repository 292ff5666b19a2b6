// Text that several places show, by key. Other text is written where it is shown.
import { configuration } from './configuration'
import { hits } from './hits'
import { runs } from './runs'
import { names } from './settings.gen'
import { shell } from './shell'

export * from './numbers'
export { keys } from './settings.gen'

export const words = {
  ...shell,
  runs,
  hits,
  configuration,
}

/** The name of a setting, else its env key. */
export const nameOf = (key: string) => names[key] ?? key
