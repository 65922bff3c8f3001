/** What the page that receives says and does, in a real Chromium; the sender is curl. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import pages from '../../../plugins/pages/index.js'
import progress from '../../../plugins/progress/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { PROJECT } from '../../support/program.js'
import { fits, headline, PagesRig, PHONE, reads, start } from './rig.js'

t.setTimeout(300_000)
const rig = await PagesRig.start(t)
const { folder, open } = rig

/** Downloads of this page are saved as a person's are: under the name that Chromium chooses. Returns the folder. */
async function saveForReal(page: Page): Promise<string> {
  const downloadPath = mkdtempSync(join(folder, 'saved-'))
  const session = await page.context().newCDPSession(page)
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow',
    downloadPath,
    browserContextId: await contextIdOf(page),
  })
  return downloadPath
}

async function contextIdOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page)
  const { targetInfo } = await session.send('Target.getTargetInfo')
  return targetInfo.browserContextId!
}

/** Resolves with the name of the one file that is there, and whole. */
async function savedIn(path: string): Promise<string> {
  let found: string[] = []
  await eventually(() => {
    found = readdirSync(path).filter((name) => !name.endsWith('.crdownload') && !name.startsWith('.'))
    return found.length === 1 || `there is ${readdirSync(path).join(', ') || 'nothing'}`
  })
  return found[0]!
}

t.test('name, size and type come first, before anything is taken', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('sea?receive'))
  const head = [
    '-H',
    'Content-Type: image/jpeg',
    '-H',
    "Content-Disposition: attachment; filename*=UTF-8''m%C3%A9r.jpg",
  ]
  const sender = curl([...head, '--data-binary', '@-', gateway.url('sea')], { input: Buffer.alloc(2_400_000) })
  await headline(page, 'Ready')
  await reads(page, 'h1', 'mér.jpg')
  await reads(page, '#what', '2.4 MB · Picture (JPEG)')
  await reads(page, '#under', 'Sent to you as sea')
  const top = async (selector: string) => (await (await page.$(selector))!.boundingBox())!.y
  t.ok((await top('h1')) < (await top('#headline')) && (await top('#headline')) < (await top('#save')))
  await gateway.holds(1, 0)
  sender.kill()
})

t.test('a browser that goes to a name to which nobody sends waits, and says how long', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('later'))
  await headline(page, 'Nobody is sending yet')
  await reads(
    page,
    '#sentence',
    'This page shows what comes when the sender is there. It waits for another 60 minutes.',
  )
  await gateway.holds(0, 0)
  const sender = curl(['-d', 'hello', gateway.url('later')])
  await headline(page, 'Ready')
  await gateway.holds(1, 0)
  await page.click('#show')
  await reads(page, '#text', 'hello')
  t.match((await sender.result).stdout.toString(), /Transfer complete/)
})

t.test('the time that is left is counted, and nobody waits for ever', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('never?receive&wait=3'))
  await reads(page, '#sentence', /It waits for another [123] seconds?\./)
  await headline(page, 'Nobody came')
  t.notOk(await page.isVisible('#save'))
  await page.click('#wait-again')
  await headline(page, 'Nobody is sending yet')
  await page.click('#save')
  await reads(page, '#sentence', /^Waiting for the sender, for another [123] seconds?\.$/)
  await gateway.holds(1, 0)
  await headline(page, 'Nobody came')
  await gateway.holds(0, 0)
})

t.test('the sender dies: Chromium asks again by itself and gets an error, and the page keeps saying it', async (t) => {
  // So that the name is idle again while the page is looked at.
  const plugins = [{ plugin: pages }, { plugin: progress, config: { linger: 1 } }]
  const gateway = await startGateway(t, {}, { plugins })
  const page = await open(t, gateway.url('half?receive'), { expected: /Failed to load resource|ERR_/ })
  const send = (bytes: number) =>
    curl(['-T', '-', '-H', `Content-Length: ${bytes}`, '-H', 'Transfer-Encoding:', gateway.url('half')])
  const sender = send(1_000_000)
  sender.stdin.write(Buffer.alloc(340_000))
  await headline(page, 'Ready')
  await page.click('#save')
  await headline(page, 'Receiving')
  await reads(page, '#figure', '34.0 %')
  sender.kill()
  await headline(page, 'Failed')
  const says = 'The sender left at 34 %. What was saved is not complete. Ask the sender to send it again.'
  await reads(page, '#sentence', says)
  const refused = () => gateway.lines.filter(({ code }) => code === 'WAS_CUT').length
  await eventually(() => refused() === 1 || `Chromium was refused ${refused()} times`)
  await gateway.holds(0, 0)
  await eventually(
    async () => /"state":"idle"/.test((await curlDone([gateway.url('half?status')])).stdout.toString()) || 'it lingers',
  )
  // It looks again within ten seconds, and learns nothing that it did not know.
  await page.waitForResponse(/half\?progress/)
  // The first event comes with the head of the response.
  for (let i = 0; i < 10; i++) await page.evaluate('new Promise(requestAnimationFrame)')
  t.equal(await page.textContent('#headline'), 'Failed')
  t.equal(await page.textContent('#sentence'), says)

  // A person who asks again, soon after the cut, is not refused.
  await page.click('#save')
  await gateway.holds(1, 0)
  const again = page.waitForEvent('download')
  await curlDone(['-d', 'all of it', gateway.url('half')])
  t.equal(readFileSync(await (await again).path(), 'utf8'), 'all of it')
  await headline(page, 'Complete')
})

t.test('after a failure another sender is shown at once', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('two?receive'))
  const sender = curl(['-N', '-T', '-', gateway.url('two')])
  sender.stdin.write('half')
  await headline(page, 'Ready')
  await page.click('#save')
  await headline(page, 'Receiving')
  sender.kill()
  await headline(page, 'Failed')
  const next = curl(['-H', 'Content-Disposition: attachment; filename=next.txt', '-d', 'whole', gateway.url('two')])
  await headline(page, 'Ready')
  await reads(page, 'h1', 'next.txt')
  next.kill()
})

t.test('a tar stream is not saved as text', async (t) => {
  const gateway = await start(t)
  for (const [header, name] of [
    ['X-Nothing: said', 'migration'],
    ['Content-Type: application/x-tar', 'migration.tar'],
    ['Content-Type: application/x-www-form-urlencoded', 'migration'],
    ['Content-Disposition: attachment; filename="site.tar.gz"', 'site.tar.gz'],
  ] as const) {
    const page = await open(t, gateway.url('migration?receive'))
    const saved = await saveForReal(page)
    const tar = execFileSync('tar', ['c', '-C', join(PROJECT, 'docs/plugins'), '.'])
    const sender = curl(['-T', '-', '-H', header, gateway.url('migration')], { input: tar })
    await headline(page, 'Ready')
    await page.click('#save')
    t.equal((await sender.result).code, 0)
    t.equal(await savedIn(saved), name, header)
    t.ok(readFileSync(join(saved, name)).equals(tar))
  }
})

t.test('what the address has filled in', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('filled?receive&n=2&filename=mine.txt&wait=120&sha256'))
  await reads(page, '#sentence', /It waits for another 2 minutes\./)
  const saved = await saveForReal(page)
  const other = curl([gateway.url('filled?n=2')])
  const sender = curl(['-d', 'hello', gateway.url('filled?n=2')])
  await headline(page, 'Ready')
  await page.click('#save')
  t.match((await sender.result).stdout.toString(), /\[INFO\] SHA-256: [\da-f]{64}\n/)
  t.equal(await savedIn(saved), 'mine.txt')
  t.equal((await other.result).stdout.toString(), 'hello')
})

t.test('autostart: no click is needed, unless another site leads there, or a robot looks', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('auto?receive&text&autostart'))
  await gateway.holds(1, 0)
  await curlDone(['-d', 'by itself', gateway.url('auto')])
  await reads(page, '#text', 'by itself')

  const file = await open(t, gateway.url('auto2?receive&autostart'))
  await gateway.holds(1, 0)
  const begun = file.waitForEvent('download')
  await curlDone(['-d', 'a file', gateway.url('auto2')])
  t.equal(readFileSync(await (await begun).path(), 'utf8'), 'a file')

  await page.goto(`http://localhost:${gateway.port}/`)
  await page.evaluate(`{
    const link = document.createElement('a')
    link.href = '${gateway.url('lured?receive&autostart')}'
    document.body.append(link)
    link.click()
  }`)
  await page.waitForURL(/lured/)
  await headline(page, 'Nobody is sending yet')
  const robot = await open(t, gateway.url('lured?receive&text&autostart'), { userAgent: 'Slackbot 1.0' })
  await headline(robot, 'Nobody is sending yet')
  await gateway.holds(0, 0)
})

async function looks(t: Test, page: Page, ...steps: readonly [string, () => Promise<unknown>][]): Promise<void> {
  for (const [what, step] of steps) {
    await step()
    await fits(t, page, what)
  }
}

t.test('at 360 pixels nothing is clipped, and everything is large enough for a finger', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url(`${'long-name-'.repeat(12)}?receive`), {
    ...PHONE,
    expected: /Failed to load resource|ERR_/,
  })
  const head = `Content-Disposition: attachment; filename="${'a very long name of a file '.repeat(4)}.pdf"`
  const sender = curl(['-N', '-T', '-', '-H', head, gateway.url('long-name-'.repeat(12))])
  sender.stdin.write('x'.repeat(300))
  await looks(
    t,
    page,
    ['ready', () => headline(page, 'Ready')],
    ['text', () => page.click('#show').then(() => reads(page, '#text', /x/))],
  )
  sender.kill()
  await looks(t, page, ['failed', () => headline(page, 'Failed')])
})

t.test('without scripts: what the address has filled in goes with the form', async (t) => {
  const gateway = await start(t)
  const options = { javaScriptEnabled: false }
  const page = await open(t, `${gateway.origin}/noscript?path=filled&mode=text&wait=9&sha256`, options)
  t.equal(await page.inputValue('#name'), 'filled')
  t.notOk(await page.isVisible('#file'))
  await page.fill('#name', 'other')
  await page.click('button >> text=Change')
  t.equal(await page.getAttribute('form[method=post]', 'action'), '/other?wait=9&sha256')
  await page.fill('#text', 'from a form')
  const receiver = curl([gateway.url('other')])
  await page.click('button >> text=Send the text')
  t.equal((await receiver.result).stdout.toString(), 'from a form')
  await reads(page, 'body', /SHA-256: [\da-f]{64}/)
  const file = await open(t, `${gateway.origin}/noscript?name=filled&mode=file`, options)
  t.notOk(await file.isVisible('#text'))
})
