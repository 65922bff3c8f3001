/** The services of examples/shop/compose.yaml, with its commands, variables and mounts. Run by shop-compose.test.ts. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { eventually } from '../support/eventually.js'
import { MAIN, PROJECT, readProject } from '../support/project.js'
import { connect } from '../support/raw.js'
import { type Part, startPart, WITHIN } from './shop-part.js'

interface Service {
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

const { services } = parse(readProject('examples/shop/compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
}

/** The image of the services is Alpine's, whose shell is that of busybox. @param args instead of the command, as for `run` */
function up(t: Test, name: string, ...args: string[]): Part {
  const { command = [], entrypoint = [], environment } = services[name]!
  const bin = join(t.testdirName, '.bin')
  return startPart(t, [...entrypoint, ...(args.length > 0 ? args : command)], {
    ...environment,
    PATH: `${bin}:${process.env.PATH}`,
  })
}

/** As the image runs it. */
function gateway(t: Test): Part {
  const image = Object.fromEntries(
    [...readProject('Dockerfile').matchAll(/ (PIPEGATE_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  )
  const file = join(PROJECT, 'deploy/docker/pipegate.yaml')
  const env = { ...image, PIPEGATE_CONFIG: file, ...services.gateway!.environment }
  return startPart(t, [process.execPath, MAIN, 'serve'], env)
}

t.test('everything in any order, shipping stopped for a while, and the gateway restarted', async (t) => {
  mkdirSync(t.testdir({ '.bin': {} }), { recursive: true })
  symlinkSync('/bin/busybox', join(t.testdirName, '.bin/sh'))
  // depends_on does not wait until the gateway listens.
  const inventory = up(t, 'inventory')
  await inventory.says('curl: (7)')
  const analytics = up(t, 'analytics')
  let shipping = up(t, 'shipping')
  const first = gateway(t)
  await listens()

  await bothListen(t)
  await order(t, 'two blue cups')
  for (const [part, text] of [
    [inventory, 'inventory: taken from the shelf: two blue cups\n'],
    [analytics, ': two blue cups\n'],
    [shipping, 'shipping: on its way: two blue cups\n'],
  ] as const)
    await part.says(text)

  await shipping.stop()
  const waiting = up(t, 'order', 'a red cup')
  await waiting.says('Delivered to 2 subscriber(s)')
  await inventory.says('a red cup')
  t.notOk(waiting.running.ended, 'it waits to be shipped')
  shipping = up(t, 'shipping')
  t.equal(await waiting.ends, 0)
  t.match(waiting.running.text, 'order "a red cup": shipping has it')
  await shipping.says('on its way: a red cup')

  await first.stop()
  gateway(t)
  await listens()
  await bothListen(t)
  const text = await order(t, 'the default of the file')
  t.match(text, 'Delivered to 2 subscriber(s)')
  const byDefault = up(t, 'order')
  t.equal(await byDefault.ends, 0, byDefault.running.text)
  t.match(byDefault.running.text, 'order "two blue cups": shipping has it')
})

async function order(t: Test, what: string): Promise<string> {
  const part = up(t, 'order', what)
  t.equal(await part.ends, 0, part.running.text)
  return part.running.text
}

/** Who has not heard of the gateway yet asks once more in a second. */
function bothListen(t: Test): Promise<void> {
  return eventually(async () => {
    const told = await order(t, 'a cup')
    return told.includes('Delivered to 2 subscriber(s)') || told
  }, WITHIN)
}

const listens = () =>
  eventually(
    () =>
      connect({ port: 8080 }).then(
        (socket) => {
          socket.destroy()
          return true
        },
        (error) => `${error}`,
      ),
    WITHIN,
  )
