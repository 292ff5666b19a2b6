// Error messages for the user, from requests or scripts.
import { ApiError, type FieldError } from '../api/client'
import { toast } from '../ui'

export { default as ErrorMessage } from './ErrorMessage.svelte'
export { default as QueryResult } from './QueryResult.svelte'

export type ErrorDetails = {
  message: string
  /** Invalid fields of the request; empty if the controller named none. */
  fields: FieldError[]
  /** The controller's stable error code; empty if it gave none. */
  code: string
  /** The HTTP status; 0 if there was no response or something else failed. */
  status: number
}

export function errorDetails(error: unknown): ErrorDetails {
  if (error instanceof ApiError) {
    const { message, errors: fields, code, status } = error
    return { message, fields, code, status }
  }
  return { message: error instanceof Error ? error.message : String(error), fields: [], code: '', status: 0 }
}

export const errorText = (error: unknown) => errorDetails(error).message

/** The invalid fields that the message does not mention. */
export const unmentionedFields = ({ message, fields }: ErrorDetails) =>
  fields.filter((f) => !message.includes(f.message))

export const fieldErrorText = ({ where, message }: Pick<FieldError, 'where' | 'message'>) =>
  where ? `${where}: ${message}` : message

const sharedFile = /^[\w.]+\.(env|json|txt)$/

/**
 * Shows an error as a toast with the fields that its message does not mention; `text` replaces the message. Manually
 * edited files are left out: ManualEdits shows them with the fix.
 */
export function toastError(error: unknown, text?: string) {
  const details = errorDetails(error)
  const fields = (text ? details.fields : unmentionedFields(details)).filter((f) => !sharedFile.test(f.where))
  const lines = fields.map(fieldErrorText)
  toast('bad', text ?? details.message, { details: text ? lines : lines.slice(0, 5) })
}
