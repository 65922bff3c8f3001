/** The speed since the stream began, drawn by uPlot, in the colours of the page. */
import type uPlotType from 'uplot'
import { formatDuration, formatSpeed } from '../../../transfer-status/format.js'
import type { SpeedLine } from '../speed-line.js'

/** Its own script defines it. */
declare const uPlot: typeof uPlotType

/** Seconds between two labels: steps that people count time in. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800]
/** A line that is shorter leaves room, in seconds. */
const SHORTEST = 10
/** The axis goes as far as this at least, in bytes per second. */
const LEAST = 10

export class Plot {
  readonly #plot: uPlotType
  #ceiling = 0

  /** @param onPoint told what is below the pointer, or an empty text */
  constructor(
    readonly element: HTMLElement,
    readonly onPoint: (text: string) => void,
  ) {
    this.#plot = new uPlot(this.#options(), [[], []], element)
    new ResizeObserver(() => element.hidden || this.#plot.setSize(this.#size())).observe(element)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw())
  }

  draw(line: SpeedLine): void {
    const { times, speeds } = line
    this.#ceiling = line.ceiling
    this.element.hidden = times.length === 0
    // A line begins where the stream did.
    if (!document.hidden)
      this.#plot.setData([
        [0, ...times],
        [speeds[0] ?? 0, ...speeds],
      ])
  }

  #options(): uPlotType.Options {
    // Read when something is drawn, so that another colour scheme shows at once.
    const colour = (name: string) => () => getComputedStyle(this.element).getPropertyValue(name)
    const { fontFamily } = getComputedStyle(this.element)
    const axis = { stroke: colour('--muted'), font: `12px ${fontFamily}`, ticks: { show: false } }
    return {
      ...this.#size(),
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: false, range: (_, __, last) => [0, Math.max(SHORTEST, last ?? 0)] },
        y: { range: () => [0, Math.max(LEAST, this.#ceiling) * 1.1] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 26, space: 64, incrs: STEPS, values: (_, at) => at.map(timeLabel) },
        {
          ...axis,
          grid: { stroke: colour('--line'), width: 1 },
          size: 70,
          space: 44,
          values: (_, at) => at.map((speed) => (speed === 0 ? '0' : formatSpeed(speed))),
        },
      ],
      series: [{}, { stroke: colour('--phase'), fill: colour('--phase-faint'), width: 2, points: { show: false } }],
      hooks: { setCursor: [(plot) => this.onPoint(this.#under(plot))] },
    }
  }

  #size(): { readonly width: number; readonly height: number } {
    return { width: this.element.clientWidth, height: this.element.clientHeight }
  }

  #under({ cursor: { idx }, data: [times, speeds] }: uPlotType): string {
    const time = idx == null ? undefined : times[idx]
    const speed = idx == null ? undefined : speeds?.[idx]
    return time === undefined || speed == null ? '' : `${formatSpeed(speed)} after ${formatDuration(Math.floor(time))}`
  }
}

/** `30 s`, `2 m`, `1 h 30 m`: without zeros at the end. */
function timeLabel(seconds: number): string {
  return seconds === 0 ? '0' : formatDuration(seconds).replace(/ 0 [smh]$/, '')
}
