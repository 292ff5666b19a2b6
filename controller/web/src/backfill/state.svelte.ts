// The form as it was left: it waits while the reader looks at other pages.
import { fresh, type Form } from './form'

let form = $state<Form>(fresh())

export const draft = {
  get form() {
    return form
  },
  set form(next: Form) {
    form = next
  },
}
