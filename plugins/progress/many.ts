import type { PipeView } from '../../gateway/host/plugin-api.js'

/** Whether a name of this kind has transfers of their own, so that none of them is its final state, and its id is none of theirs. */
export function hasManyTransfers({ kind }: Pick<PipeView, 'kind'>): boolean {
  return kind === 'queue' || kind === 'ask' || kind === 'duplex'
}
