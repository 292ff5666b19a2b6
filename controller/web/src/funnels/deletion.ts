import { deleteFunnel } from '../api/mutations'
import { toastError } from '../errors'
import { deleteWithUndo } from '../ui'
import { words } from '../text'

/** What a funnel is called among things that wait to be deleted. */
export const key = (id: number) => `funnel/${id}`

/** Deletes a funnel, with a way back. */
export const deleteFunnelWithUndo = ({ id, name }: { id: number; name: string }) =>
  deleteWithUndo(key(id), words.funnels.deleted(name), () => deleteFunnel(id).catch(toastError))
