/** A bar that shows that there is sound: what cannot be seen is believed to be broken. */

const EVERY_MS = 100

export class SoundLevel {
  readonly #context = new AudioContext()
  readonly #timer: ReturnType<typeof setInterval>

  constructor(
    stream: MediaStream,
    readonly bar: HTMLMeterElement,
  ) {
    const analyser = this.#context.createAnalyser()
    this.#context.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, each) => sum + each * each, 0) / samples.length
      // 60 dB, from silence to as loud as it can be.
      bar.value = Math.max(0, 1 + (10 * Math.log10(power + 1e-9)) / 60)
    }, EVERY_MS)
    bar.hidden = false
  }

  end(): void {
    clearInterval(this.#timer)
    void this.#context.close()
    this.bar.hidden = true
  }
}
