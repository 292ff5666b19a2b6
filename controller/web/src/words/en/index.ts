// English. Functions are sentences with something to fill in.
import { shell } from './shell'

export const en = { ...shell }
