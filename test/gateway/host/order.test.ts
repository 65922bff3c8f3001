/** The order of plugins, and what stops the start. */

import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'
import { hooks, plugin, refusal } from './plugin.js'

t.test('plugins keep the order of the configuration, except for what needs and after require', async (t) => {
  const asked: string[] = []
  const noting = (name: string, more: object = {}) => hooks(name, { onAdmit: () => void asked.push(name) }, more)
  const gateway = await startGateway(
    t,
    {},
    { plugins: [noting('a', { after: ['d'] }), noting('b'), noting('c', { needs: ['b'] }), noting('d')] },
  )
  await curlDone(['-m', '0.2', gateway.url('x')])
  t.same(asked, ['d', 'a', 'b', 'c'])
  t.same(
    gateway.gateway.plugins.map((line) => line.split(':')[0]),
    ['d', 'a', 'b', 'c'],
  )
})

t.test('what is wrong with plugins stops the start, with both names', async (t) => {
  const empty = (name: string, more: object = {}) => plugin(name, () => ({}), more)
  const route = (name: string) => plugin(name, () => ({ routes: [{ method: 'GET', path: '/own', handle() {} }] }))
  const mode = (name: string) => plugin(name, () => ({ modes: [{ param: 'own', handle() {} }] }))
  const cases: [LoadedPlugin[], RegExp][] = [
    [[empty('a'), empty('a')], /^plugin a is loaded twice/],
    [[empty('a', { needs: ['b'] })], /^plugin a needs plugin b, which is not loaded/],
    [[empty('a', { after: ['b'] }), empty('b', { needs: ['a'] })], /a after b after a/],
    [[route('a'), route('b')], /^plugins a and b both own GET \/own/],
    [
      [route('a'), plugin('b', () => ({ routes: [{ method: 'POST', path: '/own', handle() {} }] }))],
      /^plugins a and b both own POST \/own/,
    ],
    [[mode('a'), mode('b')], /^plugins a and b both own \?own/],
    [[empty('A b')], /found the plugin name "A b"/],
    [[empty('a', { api: 2 })], /plugin a was written for plugin API 2, and this gateway has 1/],
    [[{ plugin: {} as never, where: 'gate.js' }], /^gate.js: found no plugin/],
    [
      [{ ...empty('a'), config: { colour: 'red' }, where: 'p.yaml: plugins[0]' }],
      /^p.yaml: plugins\[0\]: config.*colour/,
    ],
    [
      [
        plugin('a', () => {
          throw new Error('the file is empty')
        }),
      ],
      /^plugin a: the file is empty/,
    ],
    [
      [plugin('a', () => ({ start: () => Promise.reject(new Error('nobody answers')) }))],
      /^plugin a could not start: nobody/,
    ],
  ]
  for (const [plugins, says] of cases) t.match(await refusal(t, plugins), says)
})

t.test('start in order, stop in reverse, and undo when one cannot start', async (t) => {
  const told: string[] = []
  const noting = (name: string, fails = false) =>
    plugin(name, () => ({
      start() {
        told.push(`start ${name}`)
        if (fails) throw new Error('no')
      },
      drain: () => void told.push(`drain ${name}`),
      async stop() {
        told.push(`stop ${name}`)
        if (name === 'b') throw new Error('it does not want to')
      },
    }))
  const gateway = await startGateway(t, {}, { plugins: [noting('a'), noting('b')] })
  await gateway.gateway.stop(0)
  await gateway.gateway.stop(0)
  t.same(told, ['start a', 'start b', 'drain a', 'drain b', 'stop b', 'stop a'])
  told.length = 0
  t.match(await refusal(t, [noting('a'), noting('c', true), noting('d')]), /plugin c could not start: no/)
  t.same(told, ['start a', 'start c', 'stop c', 'stop a'])
})
