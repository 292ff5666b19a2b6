import { deleteFunnel } from '../api/mutations'
import { toastError } from '../errors'
import { deleteWithUndo } from '../ui'

/** The key of a funnel for deleteWithUndo. */
export const key = (id: number) => `funnel/${id}`

/** Deletes a funnel and offers undo. */
export const deleteFunnelWithUndo = ({ id, name }: { id: number; name: string }) =>
  deleteWithUndo(key(id), `“${name}” deleted.`, () => deleteFunnel(id).catch(toastError))
