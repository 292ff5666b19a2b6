// A setting as the schema describes it, for tests.
import type { Setting } from './values'

export const setting = (s: Partial<Setting>): Setting => ({
  key: 'K',
  group: 'G',
  kind: 'text',
  default: '',
  min: '',
  max: '',
  not_above: '',
  one_of: [],
  unit: '',
  help: '',
  role: s.key?.startsWith('MATOMO_') ? 'target' : 'behaviour',
  widget: 'text',
  secret: false,
  default_in_bulk: '',
  ...s,
})
