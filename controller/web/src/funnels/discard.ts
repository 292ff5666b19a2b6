import { deleteFunnel } from '../api/mutations'
import { tellFailure } from '../fault'
import { remove } from '../ui'
import { words } from '../text'

/** What a funnel is called among things that wait to be deleted. */
export const key = (id: number) => `funnel/${id}`

/** Deletes a funnel, with a way back. */
export const discard = ({ id, name }: { id: number; name: string }) =>
  remove(key(id), words.funnels.deleted(name), () => deleteFunnel(id).catch(tellFailure))
