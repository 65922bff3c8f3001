/** A gateway with its pages, and what is read off a player in a real Chromium. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Page } from 'playwright-core'
import { Chromium, type TabOptions } from '../../support/browser.js'
import { eventually } from '../../support/eventually.js'
import type { Teardown } from '../../support/teardown.js'
import { QUIET } from './ffmpeg.js'

/** A camera, a microphone and a screen that are always there, and a user who always says yes. */
const FAKES = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=user-gesture-required',
]

/** Options of a page that shares: a picture that is encoded and decoded with little CPU. */
export const SMALL = 'quality=low&fps=10'

export const startBrowser = (t: Teardown, args: readonly string[] = []) => Chromium.start(t, [...FAKES, ...args])

export async function open(t: Teardown, chromium: Chromium, url: string, options: TabOptions = {}): Promise<Page> {
  const { page } = await chromium.open(t, options)
  const answer = await page.goto(url)
  if (answer?.status() !== 200) throw new Error(`${url} answers ${answer?.status()}`)
  return page
}

/** Waits until the element has this text. */
export function reads(page: Page, selector: string, text: string | RegExp, timeoutMs = 30_000): Promise<void> {
  return eventually(
    async () => {
      const found = ((await page.textContent(selector)) ?? '').replace(/\s+/g, ' ').trim()
      return (
        (typeof text === 'string' ? found === text : text.test(found)) || `${selector} reads "${found}", not ${text}`
      )
    },
    { timeoutMs, everyMs: 50 },
  )
}

export interface Screen {
  readonly at: number
  readonly width: number
  readonly height: number
  readonly paused: boolean
  readonly ended: boolean
  /** Pictures that have been shown. */
  readonly frames: number
  readonly lag: number
}

export function screenOf(page: Page): Promise<Screen> {
  return page.evaluate(`(() => {
    const video = document.querySelector('#video')
    const { buffered } = video
    return {
      at: video.currentTime, width: video.videoWidth, height: video.videoHeight, paused: video.paused, ended: video.ended,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      lag: buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - video.currentTime,
    }
  })()`)
}

/** Resolves when so many more pictures have been shown, one after the other, with what was on the screen then. */
export async function plays(page: Page, frames = 10, timeoutMs = 30_000): Promise<Screen> {
  const before = await screenOf(page)
  let now = before
  await eventually(
    async () => {
      now = await screenOf(page)
      const isMoving = now.frames >= before.frames + frames && now.at > before.at
      return isMoving || `at ${now.at} s with ${now.frames} pictures, from ${before.at} s with ${before.frames}`
    },
    { timeoutMs, everyMs: 50 },
  )
  return now
}

/** A program whose standard output goes somewhere else. It is stopped when the test ends. */
export function ffmpegTo(t: Teardown, ...args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const child = spawn('ffmpeg', [...QUIET, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => void child.kill('SIGKILL'))
  return child
}
