/** The parts of the plugin `limits` one by one, under a clock that is turned by hand. */
import t from 'tap'
import { Throttle } from '../../../core/index.js'
import { addressKey } from '../../../plugins/limits/address-key.js'
import { ConcurrencyCounter } from '../../../plugins/limits/concurrency-counter.js'
import { schema } from '../../../plugins/limits/config.js'
import { FixedWindowLimiter } from '../../../plugins/limits/fixed-window-limiter.js'
import { Throttles } from '../../../plugins/limits/throttles.js'

t.test('addresses: IPv4 as it is, IPv6 by its network', async (t) => {
  for (const [address, prefix, key] of [
    ['192.0.2.7', 64, '192.0.2.7'],
    ['::ffff:192.0.2.7', 64, '192.0.2.7'],
    ['::FFFF:c000:0207', 64, '192.0.2.7'],
    ['0000:0000:0000:0000:0000:ffff:c000:0207', 64, '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', 64, '2001:db8:1:2:0:0:0:0/64'],
    ['2001:0db8:0001:0002:ffff::1', 64, '2001:db8:1:2:0:0:0:0/64'],
    ['2001:db8:1:2::', 64, '2001:db8:1:2:0:0:0:0/64'],
    ['2001:db8:1:3::', 64, '2001:db8:1:3:0:0:0:0/64'],
    ['2001:db8:1:2ff::', 56, '2001:db8:1:200:0:0:0:0/56'],
    ['2001:db8:1:2ff::', 128, '2001:db8:1:2ff:0:0:0:0/128'],
    ['ffff::', 1, '8000:0:0:0:0:0:0:0/1'],
    ['::1', 64, '0:0:0:0:0:0:0:0/64'],
    ['fe80::1%eth0', 64, 'fe80:0:0:0:0:0:0:0/64'],
    ['64:ff9b::192.0.2.7', 128, '64:ff9b:0:0:0:0:c000:207/128'],
    ['', 64, ''],
  ] as const) {
    t.equal(addressKey(address, prefix), key, `${address}/${prefix}`)
  }
})

t.test('a window: so many points, and again when it is told', async (t) => {
  let now = 0
  const windows = new FixedWindowLimiter({ points: 2, seconds: 10 }, 100, () => now)
  t.same([windows.take('a'), windows.take('a')], [0, 0])
  now = 4000
  t.equal(windows.take('a'), 6000)
  t.equal(windows.take('b'), 0, 'another key has its own')
  now = 9999
  t.equal(windows.take('a'), 1, 'what was refused does not make it longer')
  now = 10_000
  t.same([windows.take('a'), windows.take('a')], [0, 0])
  t.equal(windows.take('a'), 10_000)
})

t.test('windows that are over are forgotten, and there are never more than allowed', async (t) => {
  let now = 0
  const windows = new FixedWindowLimiter({ points: 1, seconds: 10 }, 3, () => now)
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    windows.take(key)
    now++
  }
  t.equal(windows.size, 3)
  t.ok(windows.take('e') > 0, 'the newest are remembered')
  t.equal(windows.take('a'), 0, 'the oldest was forgotten')
  now = 10_003
  windows.forgetOld()
  t.equal(windows.size, 2, 'what is over goes in the order in which it began')
  now = 60_000
  windows.forgetOld()
  t.equal(windows.size, 0)
})

t.test('a tally counts who is there, and forgets who is not', async (t) => {
  const tally = new ConcurrencyCounter(2)
  t.same([tally.enter('a'), tally.enter('a'), tally.enter('a'), tally.enter('b')], [true, true, false, true])
  t.equal(tally.size, 2)
  tally.leave('a')
  t.same([tally.enter('a'), tally.enter('a')], [true, false])
  for (const key of ['a', 'a', 'b']) tally.leave(key)
  t.equal(tally.size, 0)
})

t.test('a speed is shared by its key, and stays until its debt is paid', async (t) => {
  let now = 0
  const speeds = new Throttles(
    () =>
      new Throttle(
        1000,
        () => now,
        () => {},
      ),
    2,
  )
  const first = speeds.enter('a')
  t.equal(speeds.enter('a'), first)
  t.not(speeds.enter('b'), first)
  first.spend(3000)
  for (const key of ['a', 'a', 'b']) speeds.leave(key)
  for (now = 1000; now <= 2000; now += 1000) speeds.sweep()
  t.equal(speeds.size, 1, 'b is as good as new')
  t.equal(speeds.enter('a'), first, 'whoever comes again owes what was owed')
  speeds.leave('a')
  for (now = 3000; now <= 5000; now += 1000) speeds.sweep()
  t.equal(speeds.size, 0)
  const used = speeds.enter('x')
  for (const key of ['p', 'q', 'r']) {
    speeds.enter(key)
    speeds.leave(key)
  }
  t.equal(speeds.size, 2)
  t.equal(speeds.enter('x'), used, 'what is in use is not forgotten for others')
})

t.test('the configuration', async (t) => {
  const full = {
    token: { requests: { points: 10, seconds: 60 }, transfers: { points: 5, seconds: 1 }, pipes: 3 },
    project: { bytesPerTransfer: 1, bytesPerSecond: 1 },
    address: {},
    redis: { url: 'redis://127.0.0.1:6379' },
  }
  t.match(schema.parse(full), { ipv6Prefix: 64, maxKeys: 100_000, redis: { timeoutMs: 100 } })
  for (const [wrong, path] of [
    [{ tokens: {} }, []],
    [{ token: { requests: { points: 0, seconds: 60 } } }, ['token', 'requests', 'points']],
    [{ token: { requests: { points: 1 } } }, ['token', 'requests', 'seconds']],
    [{ token: { requests: { points: 1, seconds: 86_401 } } }, ['token', 'requests', 'seconds']],
    [{ address: { pipes: 1.5 } }, ['address', 'pipes']],
    [{ ipv6Prefix: 129 }, ['ipv6Prefix']],
    [{ redis: { url: 'http://x' } }, ['redis', 'url']],
  ] as const) {
    const result = schema.safeParse(wrong)
    t.same(result.error?.issues[0]?.path, path, JSON.stringify(wrong))
  }
})
