// What is wrong, as a person reads it: one form for whatever was thrown, by a request or by this page.
import { ApiError, type FieldError } from '../api/client'

export type ErrorDetails = {
  /** The errorText that says what failed. */
  message: string
  /** What is wrong with which field; empty where the controller named none. */
  fields: FieldError[]
  /** Why, as a word that the controller does not change; empty where it has none. */
  code: string
  /** That of the answer; 0 where none came or something else failed. */
  status: number
}

export function errorDetails(error: unknown): ErrorDetails {
  if (error instanceof ApiError) {
    const { message, errors: fields, code, status } = error
    return { message, fields, code, status }
  }
  return { message: error instanceof Error ? error.message : String(error), fields: [], code: '', status: 0 }
}

/** The errorText of anything thrown. */
export const errorText = (error: unknown) => errorDetails(error).message

/** The fields that the message does not say. */
export const unmentioned = ({ message, fields }: ErrorDetails) => fields.filter((f) => !message.includes(f.message))

/** A line of a list of errors. */
export const fieldErrorText = ({ where, message }: Pick<FieldError, 'where' | 'message'>) =>
  where ? `${where}: ${message}` : message
