import t from 'tap'
import { Clock } from '../../core/index.js'

t.test('runs what is due, once, in the order in which it was asked for', async (t) => {
  let now = 100
  const ran: string[] = []
  const clock = new Clock(() => now)
  clock.after(20, () => ran.push('b'))
  clock.after(10, () => ran.push('a'))
  clock.after(11, () => ran.push('later'))
  t.equal(clock.size, 3)
  now = 109
  clock.tick()
  t.same(ran, [])
  now = 110
  clock.tick()
  t.same(ran, ['a'])
  now = 120
  clock.tick()
  clock.tick()
  t.same(ran, ['a', 'b', 'later'])
  t.equal(clock.size, 0)
})

t.test('a cancelled call does not come, not even in the tick that cancels it', async (t) => {
  let now = 0
  const ran: string[] = []
  const clock = new Clock(() => now)
  const early = clock.after(10, () => ran.push('early'))
  clock.after(10, () => {
    ran.push('first')
    second.cancel()
    second.cancel()
  })
  const second = clock.after(10, () => ran.push('second'))
  early.cancel()
  t.equal(clock.size, 2)
  now = 10
  clock.tick()
  t.same(ran, ['first'])
  t.equal(clock.size, 0)
  early.cancel()
})

t.test('what a call adds counts at once', async (t) => {
  let now = 0
  const ran: string[] = []
  const clock = new Clock(() => now)
  clock.after(10, () => {
    ran.push('first')
    clock.after(0, () => ran.push('due already'))
    clock.after(1, () => ran.push('not yet'))
  })
  now = 10
  clock.tick()
  t.same(ran, ['first', 'due already'])
  t.equal(clock.size, 1)
  now = 11
  clock.tick()
  t.same(ran, ['first', 'due already', 'not yet'])
})
