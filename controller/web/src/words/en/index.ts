// English. Functions are sentences with something to fill in.
import { dashboard } from './dashboard'
import { exchange } from './exchange'
import { funnels } from './funnels'
import { runs } from './runs'
import { shell } from './shell'
import { urls } from './urls'

export const en = { ...shell, dashboard, runs, exchange, urls, funnels }
