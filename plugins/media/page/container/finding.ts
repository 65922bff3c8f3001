/** What the beginning of a stream says about it. No DOM. */

export interface Track {
  readonly kind: 'video' | 'audio' | 'other'
  /** For people: `VP9`, `AAC`, or what the container calls it. */
  readonly label: string
  /** RFC 6381, as Media Source Extensions take it: `vp09.00.31.08`. Undefined for what no browser plays from a stream. */
  readonly codec: string | undefined
  /** Pixels; 0 when it is not said. */
  readonly width?: number
  readonly height?: number
}

export type Finding =
  /** So far nothing can be said. */
  | { readonly kind: 'more' }
  /** A container that can be played while it comes; whether this browser has the codecs is the browser's to say. */
  | { readonly kind: 'stream'; readonly container: string; readonly mime: string; readonly tracks: readonly Track[] }
  /** Anything else. `remedy`: what the sender can do about it, as a sentence. `isMedia`: a player program is worth a try.
   * `isAnywhere`: it can be read from the middle on. */
  | {
      readonly kind: 'other'
      readonly what: string
      readonly isMedia: boolean
      readonly remedy?: string
      readonly isAnywhere?: true
    }

export const MORE: Finding = { kind: 'more' }

/** @param type of the container: `video/webm` */
export function streamOf(container: string, type: 'webm' | 'mp4', tracks: readonly Track[]): Finding {
  const played = tracks.filter(({ kind }) => kind !== 'other')
  const unknown = played.find(({ codec }) => codec === undefined)
  if (unknown !== undefined) return { kind: 'other', what: `${container} with ${unknown.label}`, isMedia: true }
  if (played.length === 0) return { kind: 'other', what: `${container} without picture and sound`, isMedia: true }
  const family = played.some(({ kind }) => kind === 'video') ? 'video' : 'audio'
  const codecs = played.map(({ codec }) => codec).join(', ')
  return { kind: 'stream', container, mime: `${family}/${type}; codecs="${codecs}"`, tracks }
}

/** `WebM · VP8 640×480 · Opus` */
export function describe({
  container,
  tracks,
}: {
  readonly container: string
  readonly tracks: readonly Track[]
}): string {
  const parts = tracks.map(({ label, width = 0, height = 0 }) => (width > 0 ? `${label} ${width}×${height}` : label))
  return [container, ...parts].join(' · ')
}
