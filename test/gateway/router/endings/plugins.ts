/** Endings that a plugin asks for: limits on one side, and stopping a pipe. */
import { definePlugin, type Host, PLUGIN_API, type Plugin, z } from '../../../../gateway/host/plugin-api.js'
import { curl } from '../../../support/curl.js'
import { startGateway } from '../../../support/gateway.js'
import { endsBadly, openSender, part, reasonOf, sendPart } from './rig.js'

/** A plugin as an operator may write one: what a side may do stands in its query, and somebody can end a pipe. */
function keeper(): { readonly plugin: Plugin; end(key: string): void } {
  let host: Host | undefined
  const plugin = definePlugin({
    name: 'keeper',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup(its) {
      host = its
      return {
        hooks: {
          onAdmit(request, join) {
            const query = new URLSearchParams(request.query)
            if (query.has('most')) join.tighten('maxBytes', Number(query.get('most')))
            if (query.has('ms')) join.tighten('totalMs', Number(query.get('ms')))
          },
        },
      }
    },
  })
  return { plugin, end: (key) => host?.end(key, { status: 409, message: 'Enough of it.', hint: 'Ask the keeper.' }) }
}

part('a transfer with more bytes than one of its sides may have', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [keeper()] })
  for (const [name, of, to] of [
    ['by-sender', '?most=8', ''],
    ['by-receiver', '', '?most=8'],
  ] as const) {
    const receiver = curl(['-N', `${gateway.origin}/${name}${to}`])
    await gateway.holds(1, 0)
    const sender = await openSender(gateway, `${name}${of}`, 'chunked')
    await sendPart(sender, 'chunked', '12345678')
    await receiver.waitFor('12345678')
    await sendPart(sender, 'chunked', '9')
    t.equal(await reasonOf(gateway, name), 'too_large')
    const { code, stdout } = await receiver.result
    t.equal(code, 18, 'curl knows that the transfer is partial')
    t.equal(stdout.toString(), '12345678', 'no byte too many')
    await sender.waitForClose()
    endsBadly(t, sender, '[ERROR] Transfer failed: it has more bytes than it may have.')
  }
  const announced = await openSender(gateway, 'announced', 'length')
  await gateway.holds(1, 0)
  const receiver = curl(['-i', `${gateway.origin}/announced?most=8`])
  t.match((await receiver.result).stdout.toString(), /^HTTP\/1.1 413 /, 'nothing begins that cannot be finished')
  t.equal(await reasonOf(gateway, 'announced'), 'too_large')
  announced.destroy()
})

part('a transfer that takes longer than one of its sides may', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [keeper()] })
  const receiver = curl([`${gateway.origin}/long?ms=300`])
  const sender = await openSender(gateway, 'long', 'chunked')
  await sendPart(sender, 'chunked', 'half')
  t.equal(await reasonOf(gateway, 'long'), 'too_long')
  t.equal((await receiver.result).code, 18)
  await sender.waitForClose()
  endsBadly(t, sender, '[ERROR] Transfer failed: it took longer than it may.')
})

part('a plugin that ends a pipe: both sides are told why', async (t) => {
  const its = keeper()
  const gateway = await startGateway(t, {}, { plugins: [its] })
  const waiting = curl(['-i', `${gateway.origin}/lone`])
  await gateway.holds(1, 0)
  its.end('lone')
  t.equal(await reasonOf(gateway, 'lone'), 'stopped')
  const answer = (await waiting.result).stdout.toString()
  t.match(answer, /^HTTP\/1.1 409 /)
  t.match(answer, '[ERROR] Transfer failed: Enough of it.\n')
  const receiver = curl(['-N', `${gateway.origin}/both`])
  const sender = await openSender(gateway, 'both', 'chunked')
  await sendPart(sender, 'chunked', 'half')
  await receiver.waitFor('half')
  its.end('both')
  t.equal(await reasonOf(gateway, 'both'), 'stopped')
  t.equal((await receiver.result).code, 18)
  await sender.waitForClose()
  endsBadly(t, sender, '[ERROR] Transfer failed: Enough of it.')
})
