import type { Traffic } from './carry.js'
import type { Endpoint } from './endpoint.js'
import type { WayName } from './ways/way.js'

/** What happens in a forward. */
export type News =
  | { readonly event: 'listening'; readonly at: Endpoint }
  /** The other side is there. */
  | { readonly event: 'met' }
  /** What carries connections from now on. */
  | { readonly event: 'way'; readonly way: WayName }
  /** It is not there any more. `why` is part of a sentence, undefined when it has ended by itself. */
  | { readonly event: 'parted'; readonly why: string | undefined }
  | { readonly event: 'trouble'; readonly why: string; readonly retryMs: number }
  | { readonly event: 'opened'; readonly connection: number; readonly way: WayName }
  | ({ readonly event: 'closed'; readonly connection: number; readonly seconds: number } & Readonly<Traffic>)
  | ({ readonly event: 'cut'; readonly connection: number; readonly why: string } & Readonly<Traffic>)
  /** A connection that was never carried. */
  | { readonly event: 'refused'; readonly why: string }
