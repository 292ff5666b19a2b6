// One way to show what went wrong.
export { default as ErrorMessage } from './ErrorMessage.svelte'
export { default as QueryResult } from './QueryResult.svelte'
export { errorDetails, fieldErrorText, errorText, unmentioned, type ErrorDetails } from './details'
export { toastError } from './toast'
