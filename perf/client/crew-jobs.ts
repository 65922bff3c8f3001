/** The jobs of a crew: opened once, then loaded as often as the lane likes. One crew in a process. */

import { LANGUAGES, type Language } from './brokers/index.js'
import { type Flooded, Load, type LoadOptions } from './brokers/load.js'
import type { JobKind } from './job.js'

export interface CrewArgs extends LoadOptions {
  readonly language: Language
}

let crew: Load | null = null

function current(): Load {
  if (crew === null) throw new Error('there is no crew')
  return crew
}

/** Takes the place of the one before. */
export const crewOpen: JobKind<CrewArgs, void> = async ({ language, ...options }) => {
  close()
  crew = await Load.open(LANGUAGES[language], options)
}

export interface FloodArgs {
  readonly bytes: number
  /** Messages of each sender that are on their way. */
  readonly window: number
  readonly seconds: number
}

export const crewFlood: JobKind<FloodArgs, Flooded> = ({ bytes, window, seconds }) =>
  current().flood(bytes, window, seconds)

export interface PaceArgs {
  readonly bytes: number
  readonly perSecond: number
  readonly seconds: number
}

/** Resolves with the microseconds from sending to each arrival. */
export const crewPace: JobKind<PaceArgs, number[]> = ({ bytes, perSecond, seconds }) =>
  current().pace(bytes, perSecond, seconds)

/** Rejects when something has failed meanwhile. */
export const crewClose: JobKind<null, void> = async () => close()

function close(): void {
  const last = crew
  crew = null
  last?.close()
}
