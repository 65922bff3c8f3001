/** What the player tells. No DOM. */

import type { DisplayState } from '../../page-kit/page/display-state.js'
import type { View } from '../../page-kit/page/view.js'
import { formatDuration } from '../../transfer-status/format.js'

/** A headline and a sentence, and the phase whose colour they have. */
export interface StatusText {
  readonly phase: View['phase']
  readonly headline: string
  readonly sentence: string
}

/** What the page itself knows. Before a click: `ready`. */
export type PlayerState =
  | { readonly kind: 'ready' | 'asking' | 'opening' | 'stopped' | 'unsaved' | 'middle' }
  | { readonly kind: 'playing' | 'paused' | 'waiting'; readonly isLive: boolean; readonly lag: number }
  /** All of it has come. `seconds`: how long it was. */
  | { readonly kind: 'ended'; readonly seconds: number }
  /** It ended, and not as a stream ends. */
  | { readonly kind: 'cut'; readonly why: string; readonly isOver: boolean }
  | { readonly kind: 'refused' | 'broken'; readonly why: string }
  | { readonly kind: 'other'; readonly what: string; readonly remedy: string }
  | { readonly kind: 'saving' | 'saved'; readonly file: string }

const NOT_ALL = 'What you saw is not all of it.'

const MIDDLE =
  'You came in the middle of it, and this kind of stream can be watched from its beginning only. Its sender can send WebM, which can be joined at any time.'

/** @param shown of the name; null when nobody tells */
export function playerStatus(state: PlayerState, shown: DisplayState | null): StatusText {
  switch (state.kind) {
    case 'ready':
      return beforehand(shown)
    case 'asking':
      return {
        phase: 'waiting',
        headline: 'Waiting',
        sentence: 'It begins when the sender is there. Leave this page open.',
      }
    case 'opening':
      return { phase: 'waiting', headline: 'Opening', sentence: 'The first bytes are here.' }
    case 'playing':
      return { phase: 'streaming', headline: state.isLive ? 'Live' : 'Playing', sentence: company(state.isLive, shown) }
    case 'paused':
      return { phase: 'idle', headline: 'Paused', sentence: pause(state) }
    case 'waiting':
      return { phase: 'stalled', headline: 'Stalled', sentence: 'The next picture has not come yet.' }
    case 'ended':
      return {
        phase: 'complete',
        headline: 'The end',
        sentence: `All of it: ${formatDuration(Math.round(state.seconds))}.`,
      }
    case 'cut':
      return { phase: 'failed', headline: 'Cut off', sentence: cut(state) }
    case 'refused':
      return { phase: 'failed', headline: 'Not played', sentence: state.why }
    case 'broken':
      return { phase: 'failed', headline: 'It cannot go on', sentence: `${state.why} ${NOT_ALL}` }
    case 'other':
      return { phase: 'waiting', headline: 'Not played here', sentence: `This is ${state.what}. ${state.remedy}` }
    case 'saving':
      return { phase: 'streaming', headline: 'Saving', sentence: `It is written to ${state.file}.` }
    case 'saved':
      return { phase: 'complete', headline: 'Saved', sentence: `All of it is in ${state.file}.` }
    case 'middle':
      return { phase: 'failed', headline: 'Not played here', sentence: MIDDLE }
    case 'unsaved':
      return {
        phase: 'failed',
        headline: 'Not saved',
        sentence: 'The stream was cut before its end. No file was made of it.',
      }
    case 'stopped':
      return { phase: 'idle', headline: 'Stopped', sentence: 'You have left. Press play to ask for it again.' }
  }
}

function beforehand(shown: DisplayState | null): StatusText {
  const press = 'Nothing is taken before you press play.'
  const idle = { phase: 'idle', headline: 'Ready to watch' } as const
  if (shown === null) return { ...idle, sentence: `It begins when the sender is there. ${press}` }
  const isLive = isLiveName(shown)
  if (shown.state === 'streaming' && isLive) {
    return { phase: 'streaming', headline: 'Live now', sentence: `${viewers(shown.activeReceivers)} ${press}` }
  }
  if (shown.state === 'streaming') {
    return {
      phase: 'idle',
      headline: 'Begun',
      sentence: 'It has begun, for those who were expected. The next one can be yours.',
    }
  }
  if (shown.hasSender)
    return { phase: 'waiting', headline: 'Ready', sentence: `The sender is waiting for you. ${press}` }
  return { ...idle, headline: 'Nothing here yet', sentence: 'Press play, and it begins when the sender comes.' }
}

export function isLiveName({ kind }: { readonly kind: string }): boolean {
  return kind === 'live'
}

function viewers(count: number): string {
  return count === 0 ? 'Nobody watches yet.' : count === 1 ? '1 viewer.' : `${count} viewers.`
}

function company(isLive: boolean, shown: DisplayState | null): string {
  if (!isLive) return 'It is played as it comes. Nothing is stored on the way.'
  if (shown === null || !isLiveName(shown)) return 'As it happens.'
  return shown.activeReceivers <= 1 ? 'You are the only viewer.' : `You are one of ${shown.activeReceivers} viewers.`
}

function pause({ isLive, lag }: { readonly isLive: boolean; readonly lag: number }): string {
  if (!isLive) return 'The sender waits for you.'
  return lag < 1
    ? 'The stream goes on without you.'
    : `The stream goes on: you are ${formatDuration(Math.floor(lag))} behind.`
}

function cut({ why, isOver }: { readonly why: string; readonly isOver: boolean }): string {
  return isOver ? `${why} ${NOT_ALL}` : `${why} What has come is played to its end, and that is not all of it.`
}
