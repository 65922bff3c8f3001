/** Which node gets a name. */

import fc from 'fast-check'
import t from 'tap'
import { hash, heaviest, type Node } from '../../../plugins/reverse-proxy/pool/rendezvous.js'

const nodeOf = (id: string): Node => ({ id, hash: hash(id) })
const nodes = (count: number) => Array.from({ length: count }, (_, i) => nodeOf(`10.0.0.${i + 1}:8080`))
const names = (count: number) => Array.from({ length: count }, (_, i) => `team/job-${i}`)
const home = (all: readonly Node[], name: string) => heaviest(all, name)?.id

/** Some nodes, each once, and names as the gateway gives them. */
const someNodes = fc
  .uniqueArray(fc.stringMatching(/^[a-z0-9.-]{1,12}:[1-9]\d{0,4}$/), { minLength: 1, maxLength: 12 })
  .map((ids) => ids.map(nodeOf))
const someNames = fc.array(fc.stringMatching(/^[\x20-\x7e]{1,40}$/), { minLength: 1, maxLength: 20 })

t.test('the hash is MurmurHash3, x86, 32 bits', async (t) => {
  // Of the reference implementation, with seed 0.
  for (const [text, expected] of [
    ['', 0],
    ['a', 0x3c2569b2],
    ['ab', 0x9bbfd75f | 0],
    ['abc', 0xb3dd93fa | 0],
    ['test', 0xba6bd213 | 0],
    ['Hello, world!', 0xc0363e43 | 0],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ] as const)
    t.equal(hash(text), expected, text)
})

t.test('a name stays where this version has put it, whatever a later one does', async (t) => {
  // Edges of two versions stand side by side during an upgrade. These lines never change.
  const three = ['10.0.0.1:8080', '10.0.0.2:8080', 'relay-c.internal:443'].map(nodeOf)
  for (const [name, expected] of Object.entries({
    jobs: 'relay-c.internal:443',
    'team/jobs': '10.0.0.1:8080',
    'caf%C3%A9': '10.0.0.2:8080',
    a: '10.0.0.1:8080',
    b: '10.0.0.1:8080',
    c: '10.0.0.2:8080',
    'logs/2026-11-21': 'relay-c.internal:443',
    ['x'.repeat(1024)]: '10.0.0.1:8080',
  }))
    t.equal(home(three, name), expected, name.slice(0, 20))
})

t.test('every node has its share of the names, and of those of a node that goes', async (t) => {
  for (const count of [2, 3, 5, 16]) {
    const all = nodes(count)
    const shares = new Map(all.map(({ id }) => [id, 0]))
    const second = new Map(all.slice(1).map(({ id }) => [id, 0]))
    const total = count * 2000
    for (const name of names(total)) {
      const at = home(all, name)!
      shares.set(at, shares.get(at)! + 1)
      if (at !== all[0]!.id) continue
      const next = home(all.slice(1), name)!
      second.set(next, second.get(next)! + 1)
    }
    // 2000 each; five standard deviations are less than 225.
    for (const [id, share] of shares) t.ok(Math.abs(share - 2000) < 225, `${id} of ${count}: ${share}`)
    if (count === 2) continue
    const mean = shares.get(all[0]!.id)! / (count - 1)
    for (const [id, share] of second)
      t.ok(Math.abs(share - mean) < 5 * Math.sqrt(mean) + 1, `${id} of ${count - 1}: ${share} of ${mean}`)
  }
})

t.test('all agree, in whatever order their lists are', async () => {
  fc.assert(
    fc.property(someNodes, someNames, fc.nat(), (all, asked, turn) => {
      const at = turn % all.length
      const turned = [...all.slice(at), ...all.slice(0, at)]
      for (const name of asked) {
        const expected = home(all, name)
        if (home(turned, name) !== expected || home([...all].reverse(), name) !== expected) return false
      }
      return true
    }),
  )
})

t.test(
  'a node that goes takes its own names along, and nobody else moves; when it is back, all is as before',
  async () => {
    fc.assert(
      fc.property(someNodes, someNames, fc.nat(), (all, asked, which) => {
        const gone = all[which % all.length]!
        const rest = all.filter((node) => node !== gone)
        for (const name of asked) {
          const before = home(all, name)
          const after = home(rest, name)
          if (before !== gone.id && after !== before) return false
          if (before === gone.id && (after === gone.id || (after === undefined) !== (rest.length === 0))) return false
        }
        return true
      }),
    )
  },
)

t.test('nodes that weigh the same are told apart by what they are called', async (t) => {
  const twins = [
    { id: 'a:1', hash: 7 },
    { id: 'b:1', hash: 7 },
  ]
  t.equal(home(twins, 'name'), 'b:1')
  t.equal(home([...twins].reverse(), 'name'), 'b:1')
  t.equal(home([], 'name'), undefined)
})
