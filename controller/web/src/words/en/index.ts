// English. Functions are sentences with something to fill in.
import { exchange } from './exchange'
import { shell } from './shell'
import { urls } from './urls'

export const en = { ...shell, exchange, urls }
