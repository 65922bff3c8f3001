/** A recording on its way: a stream of bytes that is as long as it is captured, and of which little waits here. */

/** How often the recorder hands out what it has. */
const SLICE_MS = 200
/** Whoever joins late waits for a whole picture. */
const WHOLE_PICTURE_MS = 1000
/** So many seconds may wait for the network before pictures are left out, and so many bytes at least. */
const MOST_QUEUED_S = 4
const LEAST_BYTES = 500_000

/** The first that the browser makes. Without help of a graphics card VP9 has taken Chromium half as much time as VP8. */
const TYPES = {
  both: ['video/webm;codecs=vp9,opus', 'video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'],
  video: ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'],
  audio: ['audio/webm;codecs=opus', 'audio/webm', 'audio/mp4'],
} as const

export class Recording {
  /** Handed to the network, and waiting for it. */
  sent = 0
  queued = 0
  readonly type: string
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly #recorder: MediaRecorder
  readonly #most: number
  readonly #blobs: Blob[] = []
  #wake: () => void = () => {}
  #isStopped = false
  #startedAt = 0
  #stoppedAt = 0
  #pausedAt = 0
  #leftOutMs = 0

  /** @param bits per second */
  constructor(stream: MediaStream, bits: number) {
    const [hasPicture, hasSound] = [stream.getVideoTracks().length > 0, stream.getAudioTracks().length > 0]
    const types = TYPES[hasPicture ? (hasSound ? 'both' : 'video') : 'audio']
    this.type = types.find((each) => MediaRecorder.isTypeSupported(each)) ?? ''
    this.#most = Math.max(LEAST_BYTES, (bits / 8) * MOST_QUEUED_S)
    // The last one is new, and not in the types yet.
    const options = { mimeType: this.type, bitsPerSecond: bits, videoKeyFrameIntervalDuration: WHOLE_PICTURE_MS }
    this.#recorder = new MediaRecorder(stream, options)
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#add(data))
    this.#recorder.addEventListener('stop', () => this.#end())
    this.#recorder.addEventListener('error', () => this.stop())
    this.body = new ReadableStream(
      { pull: (controller) => this.#pull(controller), cancel: () => this.stop() },
      { highWaterMark: 0 },
    )
  }

  get hasStarted(): boolean {
    return this.#startedAt > 0
  }

  get seconds(): number {
    const until = this.#stoppedAt || performance.now()
    return this.hasStarted ? (until - this.#startedAt) / 1000 - this.leftOut : 0
  }

  /** Seconds. */
  get leftOut(): number {
    const now = this.#pausedAt > 0 ? performance.now() - this.#pausedAt : 0
    return (this.#leftOutMs + now) / 1000
  }

  start(): void {
    if (this.hasStarted || this.#isStopped) return
    this.#startedAt = performance.now()
    this.#recorder.start(SLICE_MS)
  }

  /** What has been captured is still sent, and then the stream ends as it should. */
  stop(): void {
    if (this.#recorder.state === 'inactive') this.#end()
    else this.#recorder.stop()
  }

  #add(blob: Blob): void {
    if (blob.size === 0) return
    this.#blobs.push(blob)
    this.queued += blob.size
    // While it is paused no picture is encoded, so that none is missing to those that follow.
    if (this.queued > this.#most && this.#recorder.state === 'recording') {
      this.#pausedAt = performance.now()
      this.#recorder.pause()
    }
    this.#wake()
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    while (this.#blobs.length === 0 && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const blob = this.#blobs.shift()
    if (blob === undefined) return controller.close()
    controller.enqueue(new Uint8Array(await blob.arrayBuffer()))
    this.sent += blob.size
    this.queued -= blob.size
    if (this.queued < this.#most / 2) this.#goOn()
  }

  #goOn(): void {
    if (this.#pausedAt === 0) return
    this.#leftOutMs += performance.now() - this.#pausedAt
    this.#pausedAt = 0
    if (this.#recorder.state === 'paused') this.#recorder.resume()
  }

  #end(): void {
    this.#isStopped = true
    this.#stoppedAt ||= performance.now()
    this.#wake()
  }
}
