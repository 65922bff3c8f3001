/* Draws the plots of the report. The numbers stand in the page; uPlot is in it, too. */
;(() => {
  const uPlot = window.uPlot
  const curves = JSON.parse(document.getElementById('series').textContent)
  const sides = [...new Set(curves.map(({ side }) => side))]
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const HEIGHT = 240

  /** Puts one place's curves on one time axis. */
  function draw(place) {
    const { lane, load, plot } = place.dataset
    const mine = curves.filter((curve) => curve.lane === lane && curve.load === load && curve.plot === plot)
    const data = uPlot.join(mine.map(({ points }) => [points.map(([at]) => at), points.map(([, value]) => value)]))
    place.textContent = ''
    return new uPlot(optionsFor(mine, place.clientWidth), data, place)
  }

  function optionsFor(mine, width) {
    const across = mine[0].plot === 'threads' ? 'threads' : 'seconds'
    const most = Math.max(...mine.flatMap(({ points }) => points.map(([, value]) => value)))
    const axis = {
      stroke: color('--muted'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { stroke: color('--line') },
    }
    const lines = mine.map(({ side, unit }) => ({
      label: side,
      stroke: color(`--side-${sides.indexOf(side) % 5}`),
      width: 2,
      spanGaps: true,
      points: { show: across === 'threads' },
      value: (_, value) => (value == null ? '' : `${value.toFixed(most < 10 ? 3 : 0)} ${unit}`),
    }))
    return {
      width,
      height: HEIGHT,
      scales: {
        x: { time: false },
        y: { range: (_, _low, high) => [0, most < 10 ? high * 1.1 : Math.max(1, high * 1.1)] },
      },
      axes: [
        { ...axis, label: across, labelSize: 18, size: 36 },
        { ...axis, label: mine[0].unit, labelSize: 18, size: 52 },
      ],
      series: [{ label: across, value: (_, at) => (at == null ? '' : at.toFixed(1)) }, ...lines],
    }
  }

  const places = [...document.querySelectorAll('.plot')]
  let plots = places.map(draw)
  const redraw = () => {
    for (const plot of plots) plot.destroy()
    plots = places.map(draw)
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  addEventListener('resize', () => {
    plots.forEach((plot, i) => {
      plot.setSize({ width: places[i].clientWidth, height: HEIGHT })
    })
  })
})()
