/** What the pages are made of besides their text. */
import { asGlobal, bundle, COMMON_STYLE, styleSheet } from '../../page-kit/bundle.js'

export const STYLES: readonly string[] = [COMMON_STYLE, styleSheet('media/page/media.css')]

/** What both pages have, each behind those it imports from. */
const SHARED = [
  'transfer-status/format.js',
  'transfer-status/idle.js',
  'transfer-status/live-figures.js',
  'transfer-status/counted.js',
  'transfer-status/ask-figures.js',
  'transfer-status/duplex-figures.js',
  'transfer-status/queue-figures.js',
  'page-kit/page/phase.js',
  'page-kit/page/display-state.js',
  'page-kit/page/browser/elements.js',
  'page-kit/page/browser/credentials.js',
  'page-kit/page/browser/announcer.js',
  'page-kit/page/browser/copy-button.js',
  'page-kit/page/browser/follower.js',
  'media/page/browser/name-follower.js',
]

export const PLAYER_SCRIPTS: readonly string[] = [
  bundle([
    ...SHARED,
    'media/page/container/finding.js',
    'media/page/container/video-codec.js',
    'media/page/container/audio-entry.js',
    'media/page/container/ebml.js',
    'media/page/container/webm.js',
    'media/page/container/boxes.js',
    'media/page/container/mp4.js',
    'media/page/container/mpeg-audio.js',
    'media/page/container/identify.js',
    'media/page/playhead.js',
    'media/page/player-status.js',
    'media/page/browser/stream-address.js',
    'media/page/browser/media-buffer.js',
    'media/page/browser/opening.js',
    'media/page/browser/keep.js',
    'media/page/browser/screening.js',
    'media/page/browser/player.js',
  ]),
]

export const CAPTURE_SCRIPTS: readonly string[] = [
  asGlobal('uqr', 'uqr'),
  bundle([
    ...SHARED,
    'media/page/player-status.js',
    'media/page/capture-status.js',
    'media/page/browser/devices.js',
    'media/page/browser/recording.js',
    'media/page/browser/sending.js',
    'media/page/browser/broadcast.js',
    'media/page/browser/invitation.js',
    'media/page/browser/sound-level.js',
    'media/page/browser/capture-form.js',
    'media/page/browser/capture.js',
  ]),
]
