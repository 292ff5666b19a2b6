// English. Functions are sentences with something to fill in.
import { dashboard } from './dashboard'
import { exchange } from './exchange'
import { funnels } from './funnels'
import { logs } from './logs'
import { runs } from './runs'
import { configuration } from './configuration'
import { presets } from './presets'
import { targets } from './targets'
import { shell } from './shell'
import { urls } from './urls'

export const en = { ...shell, dashboard, runs, exchange, urls, funnels, logs, configuration, presets, targets }
