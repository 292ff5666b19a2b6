// The form as it was left: it waits while the reader looks at other pages.
import { type Form, fresh } from './form'

export const draft = $state<{ form: Form }>({ form: fresh() })
