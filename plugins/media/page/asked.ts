/** What an address can ask of the two pages. No DOM. */

/** How a name is shared out: to whoever comes, or to so many. */
export interface Audience {
  /** Undefined: not said. */
  readonly live: boolean | undefined
  readonly n: number | undefined
  readonly wait: number | undefined
}

export const SOURCES = ['screen', 'camera', 'microphone'] as const
export const SURFACES = ['monitor', 'window', 'browser'] as const
export const QUALITIES = ['low', 'medium', 'high'] as const
export const SOUNDS = ['own', 'microphone', 'both', 'none'] as const

export interface Capture extends Audience {
  readonly source: (typeof SOURCES)[number] | undefined
  readonly surface: (typeof SURFACES)[number] | undefined
  readonly quality: (typeof QUALITIES)[number] | undefined
  /** `own`: of the source itself, which for a camera is the microphone. */
  readonly audio: (typeof SOUNDS)[number] | undefined
  readonly fps: number | undefined
}
