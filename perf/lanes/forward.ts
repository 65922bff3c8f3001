import { bulk, roundTrips, startService } from '../forward/service.js'
import { TUNNELS, type Tunnel } from '../forward/tunnels.js'
import { interleave } from '../interleave.js'
import type { Lane } from '../lane.js'
import { quantile } from '../stats.js'

/** Before anything counts, in bytes and in round trips. */
const WARM_UP = { bytes: 32e6, trips: 500 }

export const forward: Lane = {
  name: 'forward',
  title: 'TCP connections by pipegate forward, beside socat, ssh -L and chisel',
  deadline: 600,
  async run({ report, quick, rounds, say }) {
    const [bytes, trips] = quick ? [2e8, 2000] : [1e9, 10_000]
    const service = await startService()
    const tunnels = new Map<string, Tunnel>()
    for (const kind of TUNNELS) {
      const missing = kind.missing()
      if (missing !== null) {
        report.note(`without ${kind.name}: ${missing}`)
        continue
      }
      const tunnel = await kind.start(service.port)
      await bulk(tunnel.port, WARM_UP.bytes)
      await roundTrips(tunnel.port, WARM_UP.trips)
      tunnels.set(kind.name, tunnel)
    }
    await interleave([...tunnels], rounds, async ([name, tunnel], round) => {
      const before = tunnel.cpu()
      const seconds = await bulk(tunnel.port, bytes)
      const cpu = (tunnel.cpu() - before) / (bytes / 1e9)
      report.add(name, 'CPU of all its programs', 's/GB', cpu)
      report.add(name, 'throughput', 'MB/s', bytes / 1e6 / seconds)
      const took = await roundTrips(tunnel.port, trips)
      for (const [point, of] of [['p50', 0.5] as const, ['p99', 0.99] as const]) {
        report.add(name, `round trip, ${point}`, 'µs', quantile(took, of))
      }
      say(`round ${round + 1}, ${name}: ${cpu.toFixed(2)} s/GB, ${quantile(took, 0.5).toFixed(0)} µs`)
    })
    await Promise.all([...tunnels.values()].map((tunnel) => tunnel.stop()))
    await service.stop()
    report.ratioGoal('CPU of all its programs', 'pipegate forward', 'chisel', {
      what: 'CPU per GB against chisel',
      target: 1,
      bound: 'most',
    })
    report.ratioGoal('round trip, p50', 'pipegate forward', 'chisel', {
      what: 'round trip, p50, against chisel',
      target: 1.5,
      bound: 'most',
    })
  },
}
