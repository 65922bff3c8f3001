/** A hook that fails costs its own request only. */

import t from 'tap'
import type { Hooks } from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { hooks } from './plugin.js'

const DEFECTS: Record<string, Hooks> = {
  'onRequest throws': {
    onRequest() {
      throw new Error('defect')
    },
  },
  'onAdmit throws': {
    onAdmit() {
      throw new Error('defect')
    },
  },
  'onAdmit returns a promise': { onAdmit: (async () => {}) as never },
  'onAdmit returns one that rejects': { onAdmit: (async () => Promise.reject(new Error('defect'))) as never },
  'onAdmitAsync throws at once': {
    onAdmitAsync() {
      throw new Error('defect')
    },
  },
  'onAdmitAsync rejects': { onAdmitAsync: () => Promise.reject(new Error('defect')) },
}

for (const [name, defect] of Object.entries(DEFECTS)) {
  t.test(`${name}: the request is refused, and nobody else notices`, async (t) => {
    let broken = true
    const only = Object.fromEntries(
      Object.entries(defect).map(([hook, run]) => [hook, (...args: unknown[]) => (broken ? run(...args) : undefined)]),
    )
    if (only.onAdmitAsync) {
      const { onAdmitAsync } = only
      only.onAdmitAsync = async (...args: unknown[]) => onAdmitAsync(...args)
    }
    const gateway = await startGateway(t, {}, { plugins: [hooks('broken', only as Hooks)] })
    const refused = await curlDone(['-w', '%{http_code}', gateway.url('name')])
    t.match(refused.stdout.toString(), /^\[ERROR\] The plugin broken failed on this request.[\s\S]*500$/)
    t.notMatch(refused.stdout.toString(), 'defect', 'the client learns nothing of it')
    await eventually(() => gateway.lines.some((line) => line.plugin === 'broken') || 'it is not logged')
    broken = false
    const receiver = curl([gateway.url('name')])
    await curlDone(['-d', 'fine', gateway.url('name')])
    t.equal((await receiver.result).stdout.toString(), 'fine')
  })
}

t.test('event hooks that throw or reject change nothing, and are logged once', async (t) => {
  const told: string[] = []
  const failing = (name: string) => {
    told.push(name)
    throw new Error(`defect of ${name}`)
  }
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        hooks('teller', {
          onWaiting: () => failing('onWaiting'),
          onJoined: (async () => failing('onJoined')) as never,
          onPaired: () => failing('onPaired'),
          onEnded: () => failing('onEnded'),
          onRequestEnded: () => failing('onRequestEnded'),
        }),
      ],
    },
  )
  for (let i = 0; i < 2; i++) {
    const receiver = curl([gateway.url('name')])
    const sent = await curlDone(['-d', 'fine', gateway.url('name')])
    t.match(sent.stdout.toString(), /Transfer complete.\n$/)
    t.equal((await receiver.result).stdout.toString(), 'fine')
  }
  await eventually(() => told.length === 14 || `${told}`)
  for (const name of new Set(told)) {
    t.equal(gateway.lines.filter((line) => line.hook === name).length, 1, `${name} is logged once`)
  }
})
