/** Results as one page that loads nothing from outside. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Html, html, jsonInScript } from './html.js'
import { PROJECT } from './paths.js'
import type { Figure, Goal, LaneResult, Side } from './result.js'
import { short, targetText, verdict } from './table.js'

/** The whole page. */
export function reportPage(results: readonly LaneResult[]): string {
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot/package.json'))
  const style = [join(uplot, 'dist/uPlot.min.css'), join(PROJECT, 'perf/page/report.css')].map(read)
  const script = [join(uplot, 'dist/uPlot.iife.min.js'), join(PROJECT, 'perf/page/report.js')].map(read)
  const series = results.flatMap(({ lane, series: curves }) => curves.map((curve) => ({ lane, ...curve })))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>pipegate: performance</title>
<style>${style}</style>
</head>
<body>
<main>
${header(results)}
${summary(results)}
${results.map(laneSection)}
</main>
<script type="application/json" id="series">${jsonInScript(series)}</script>
${script.map((text) => html`<script>${text}</script>\n`)}
</body>
</html>
`.text
}

function read(file: string): Html {
  return new Html(readFileSync(file, 'utf8').replaceAll('</script', '<\\/script'))
}

function header(results: readonly LaneResult[]): Html {
  const goals = results.flatMap((result) => result.goals)
  const reached = goals.filter((goal) => goal.reached).length
  const failed = results.filter((result) => result.failed !== null)
  const [machine] = results.map((result) => result.machine)
  return html`<header>
<h1>pipegate: performance</h1>
<p class="lead">${reached} of ${goals.length} targets reached${failed.length > 0 ? `, ${failed.length} lanes failed` : ''}.
${results.some((result) => result.quick) ? 'Some lanes are of a quick run, which shows less and is noisier.' : ''}</p>
<p class="muted">${machine?.cpu}, ${machine?.cores} cores, ${machine?.memoryGiB} GiB, Linux ${machine?.kernel}, Node ${machine?.node}</p>
</header>`
}

function summary(results: readonly LaneResult[]): Html {
  const lanes = results.filter(({ goals, failed }) => goals.length > 0 || failed !== null)
  return html`<section>
<h2>Targets</h2>
<p class="muted">A bar is the measured value as a share of its target, which is the line. A bar that should stay left of the
line is solid, one that should pass it is striped; one that does not fit says how often its target it is. In parentheses: the single rounds.</p>
<div class="goals">${lanes.map(goalsOfLane)}</div>
</section>`
}

function goalsOfLane({ lane, goals, failed }: LaneResult): Html {
  return html`<div class="goal-lane"><h3><a href="#${lane}">${lane}</a></h3>
${failed === null ? '' : html`<p class="failed">Failed: ${failed}</p>`}${goals.map(goalRow)}</div>`
}

function goalRow(goal: Goal): Html {
  const range = goal.low === goal.high ? '' : ` (${short(goal.low)} to ${short(goal.high)})`
  return html`<div class="goal ${goal.reached ? 'reached' : 'missed'}">
<div class="what">${goal.what}</div>
<div class="value"><b>${short(goal.value)} ${goal.unit}</b><span class="muted">${range}</span></div>
${bar(goal)}
<div class="target">${targetText(goal)}</div>
<div class="verdict">${verdict(goal)}</div>
</div>
`
}

// The target's line stands at this share of the width, which leaves room for values beyond it.
const LINE_AT = 60

function bar({ value, target, bound }: Goal): Html {
  if (target === 0) return html`<div class="bar none"></div>`
  const share = value / target
  const width = Math.min(100, share * LINE_AT)
  const beyond = share * LINE_AT > 100 ? html`<span>${short(share)} ×</span>` : ''
  return html`<div class="bar ${bound}"><i style="width:${width.toFixed(1)}%">${beyond}</i><u style="left:${LINE_AT}%"></u></div>`
}

function laneSection(result: LaneResult): Html {
  const { lane, title, sides, series, notes, startedAt, machine, seconds, rounds } = result
  const loads = [...new Set(series.map(({ load }) => load))]
  return html`<section id="${lane}">
<h2>${lane}</h2>
<p>${title}.</p>
<p class="muted">${startedAt.slice(0, 16).replace('T', ' ')} UTC, commit ${machine.commit}, ${rounds} rounds, ${seconds} s${result.quick ? ', quick' : ''}</p>
${notes.map((note) => html`<p class="note">${note}</p>`)}
${sides.length === 0 ? '' : figureTable(sides)}
<div class="plots">${loads.flatMap((load) => plotsOf(result, load))}</div>
</section>`
}

/** A place for each plot; the page's script draws it. */
function plotsOf({ lane, series }: LaneResult, load: string): Html[] {
  const plots = (['throughput', 'memory', 'threads'] as const).filter((plot) =>
    series.some((curve) => curve.load === load && curve.plot === plot),
  )
  return plots.map(
    (
      plot,
    ) => html`<figure><figcaption>${plot === 'threads' ? `${load}, by threads` : `${load}: ${plot} over time, first round`}</figcaption>
<div class="plot" data-lane="${lane}" data-load="${load}" data-plot="${plot}"></div></figure>`,
  )
}

function figureTable(sides: readonly Side[]): Html {
  const names = [...new Set(sides.flatMap(({ figures }) => figures.map(({ name }) => name)))]
  return html`<div class="scroll"><table>
<thead><tr><th>median (lowest to highest)</th>${sides.map(({ name }) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${names.map((name) => figureRow(name, sides))}</tbody>
</table></div>`
}

function figureRow(name: string, sides: readonly Side[]): Html {
  const cells = sides.map(({ figures }) => figureCell(figures.find((figure) => figure.name === name)))
  return html`<tr><th>${name}</th>${cells}</tr>\n`
}

function figureCell(figure: Figure | undefined): Html {
  if (figure === undefined) return html`<td class="muted">–</td>`
  const { median, low, high, unit, values } = figure
  const range = values.length < 2 ? '' : html`<span class="muted">${short(low)} to ${short(high)}</span>`
  return html`<td><b>${short(median)}</b> ${unit} ${range}</td>`
}
