/** What the page that sends offers, step by step, in a real Chromium. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import type { Running } from '../../support/gateway.js'
import { amount } from '../../support/thorough.js'
import { chooseText, digestOf, fits, headline, makeFile, nameIt, PagesRig, PHONE, reads, small, start } from './rig.js'

t.setTimeout(300_000)
const rig = await PagesRig.start(t)
const { folder, open } = rig
/** Of each of two files: more than may be in memory. */
const LARGE = amount(50_000_000, 150_000_000)

/** A folder with files in it, one of them in a folder of its own, and an empty one. */
async function makeFolder(): Promise<{ readonly path: string; readonly digests: Readonly<Record<string, string>> }> {
  const path = join(mkdtempSync(join(folder, 'given-')), 'Été 2026')
  mkdirSync(join(path, 'day one'), { recursive: true })
  mkdirSync(join(path, 'nothing'))
  const digests = {
    'Été 2026/sea.jpg': await makeFile(join(path, 'sea.jpg'), 7_300_000),
    'Été 2026/day one/日.txt': await makeFile(join(path, 'day one', '日.txt'), 12),
    'Été 2026/empty': await makeFile(join(path, 'empty'), 0),
  }
  return { path, digests }
}

/** Unpacks it with Python's reader, which checks every checksum, and has `unzip` look at it as well. Returns digests by path. */
function unpack(zip: string): Record<string, string> {
  execFileSync('unzip', ['-tqq', zip])
  const into = mkdtempSync(join(folder, 'unpacked-'))
  const list = execFileSync('python3', [
    '-c',
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); z.extractall(sys.argv[2]); print("\\n".join(z.namelist()))',
    zip,
    into,
  ])
  const names = list.toString().trim().split('\n')
  return Object.fromEntries(
    names.map((name) => [name, name.endsWith('/') ? 'folder' : digestOf(join(into, name))] as const),
  )
}

/** Sends what is chosen, and receives it with the command that the page shows. Returns the path of the file. */
async function sent(t: Test, page: Page): Promise<string> {
  await page.click('#send')
  await headline(page, 'Waiting')
  const into = mkdtempSync(join(folder, 'taken-'))
  t.equal((await (await rig.shownCommand(page, [], into)).result).code, 0)
  await headline(page, 'Delivered')
  // Not the name that a browser would give it: curl reads only the older spelling, which has no accents.
  return join(into, readdirSync(into)[0]!)
}

/** Drops a path of this machine on the page, as a file manager does. */
async function drop(page: Page, path: string, event: 'dragEnter' | 'dragOver' | 'drop'): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: [path], dragOperationsMask: 1 }
  await session.send('Input.dispatchDragEvent', { type: event, x: 20, y: 500, data })
}

t.test('it says what it is, and shows one step at a time', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await reads(page, '.brand .home', 'pipegate')
  await reads(page, '.lead p', /^Files or text go straight from here to whoever opens your link\./)
  t.notOk((await page.isVisible('#send')) || (await page.isVisible('#options')), 'there is nothing to send yet')
  t.notOk(await page.isVisible('#share'))
  await page.setInputFiles('#file', small('a.txt', 'hello'))
  t.ok(await page.isVisible('#send'))
  t.notOk(await page.isVisible('#name'), 'the name is behind a fold')
  t.notOk(await page.isVisible('#share'), 'nothing to share yet')
  await page.click('#send')
  await headline(page, 'Waiting')
  t.ok(await page.isVisible('#link'))
  const qr = (await (await page.$('#qr'))!.boundingBox())!
  t.ok(qr.width >= 240 && qr.height === qr.width, `a picture of ${qr.width}`)
  t.notOk(await page.isVisible('#command'), 'curl is behind a fold')
  t.notOk(await page.isVisible('#form'))
  await page.click('#terminal summary')
  t.ok(await page.isVisible('#command'))
})

t.test('a folder, with the folders and the empty one in it, arrives as a zip', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  const { path, digests } = await makeFolder()
  await page.setInputFiles('#folder', path)
  await reads(page, '#chosen', '3 files, 7.3 MB, as Été 2026.zip')
  t.same(unpack(await sent(t, page)), digests, 'a field for folders does not tell of empty ones')
})

t.test('a folder is dropped anywhere on the page', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  const { path, digests } = await makeFolder()
  await drop(page, path, 'dragEnter')
  await drop(page, path, 'dragOver')
  await page.waitForSelector('#drop-here', { state: 'visible' })
  await drop(page, path, 'drop')
  t.notOk(await page.isVisible('#drop-here'))
  await reads(page, '#chosen', '4 files, 7.3 MB, as Été 2026.zip')
  t.same(unpack(await sent(t, page)), { ...digests, 'Été 2026/nothing/': 'folder' })
})

t.test('files of one name, and one that is taken out again', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await page.setInputFiles('#file', [small('a.txt', 'one'), small('b', 'to stay'), small('no', 'not this one')])
  await page.setInputFiles('#file', small('a.txt', 'two'))
  await page.click('button[aria-label="Take out no"]')
  await reads(page, '#chosen', '3 files, 13 B, as files.zip')
  const zip = unpack(await sent(t, page))
  t.same(Object.keys(zip).sort(), ['a (2).txt', 'a.txt', 'b'])
})

t.test('files of 100 MB, and 300 at night, are read as they are sent, and are in no memory', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  const path = mkdtempSync(join(folder, 'large-'))
  const digests = {
    one: await makeFile(join(path, 'one'), LARGE),
    two: await makeFile(join(path, 'two'), LARGE),
  }
  await page.setInputFiles('#file', [join(path, 'one'), join(path, 'two')])
  await page.click('#send')
  await headline(page, 'Waiting')
  const session = await page.context().newCDPSession(page)
  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage')
    return (usedSize + backingStorageSize) / 1e6
  }
  t.ok((await heap()) < 40, 'what was read for the checksums is gone')
  const into = mkdtempSync(join(folder, 'taken-'))
  const receiver = await rig.shownCommand(page, ['--limit-rate', '40M'], into)
  await headline(page, 'Sending')
  const used = await heap()
  t.ok(used < 40, `${used.toFixed(1)} MB in the page`)
  t.equal((await receiver.result).code, 0)
  t.same(unpack(join(into, 'files.zip')), digests)
})

t.test('a drop while something is sent neither leads away nor changes anything', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await chooseText(page, 'hello', 'busy')
  await page.click('#send')
  await headline(page, 'Waiting')
  const other = join(folder, 'other.html')
  writeFileSync(other, '<title>away</title>')
  for (const event of ['dragEnter', 'dragOver', 'drop'] as const) await drop(page, other, event)
  t.notOk(await page.isVisible('#drop-here'))
  t.equal((await (await rig.shownCommand(page)).result).stdout.toString(), 'hello')
  await headline(page, 'Delivered')
})

t.test('on a phone: a picture of the camera, and sharing comes first', async (t) => {
  const gateway = await start(t)
  const { page } = await rig.chromium.open(t, PHONE)
  // Chromium for Linux has nobody to share with: this one keeps what it would have been given.
  await page.addInitScript('navigator.share = async (what) => { window.shared = what }')
  await page.goto(gateway.origin)
  t.ok(await page.isVisible('label[for="camera"]'))
  t.equal(await page.getAttribute('#camera', 'capture'), 'environment')
  t.equal(await page.getAttribute('#camera', 'accept'), 'image/*')
  await page.setInputFiles('#camera', small('IMG_0001.jpg', 'picture'))
  await page.click('#send')
  await headline(page, 'Waiting')
  const top = async (selector: string) => (await (await page.$(selector))!.boundingBox())!.y
  t.ok((await top('#share-link')) < (await top('#copy-link')))
  await page.click('#share-link')
  t.same(await page.evaluate('shared.url'), await page.textContent('#link'))
  const receiver = await open(t, (await page.textContent('#link'))!, PHONE)
  await reads(receiver, 'h1', 'IMG_0001.jpg')
})

t.test('at a desk: no camera, copying comes first, and no sharing where there is none', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  t.notOk(await page.isVisible('label[for="camera"]'))
  await chooseText(page, 'x')
  await page.click('#send')
  await headline(page, 'Waiting')
  t.notOk(await page.isVisible('#share-link'))
  t.equal(await page.getAttribute('.share-buttons', 'data-first'), 'copy')
})

t.test('names are hard or easy to guess, in words', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await page.setInputFiles('#file', small('a.txt', 'hello'))
  await reads(page, '#guess', 'Hard to guess')
  await nameIt(page, 'holiday-2026')
  await reads(page, '#guess', 'Easy to guess')
  await reads(page, '#name-note', /^Anybody who tries this name can receive/)
  await nameIt(page, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
  await reads(page, '#guess', 'Hard to guess')
  for (let i = 0; i < 20; i++) {
    await page.click('#another')
    await reads(page, '#guess', 'Hard to guess')
  }
  t.notMatch(await page.textContent('main'), /\bbits?\b/)
})

t.test('I have a name: it leads to receiving, and so does a link', async (t) => {
  const gateway = await start(t)
  const page = await open(t, `${gateway.origin}/api/v1/pipe/`)
  await page.click('#have-go')
  await reads(page, '#have-problem', 'Give it a name.')
  await page.fill('#have-name', ' notes/one & two ')
  await page.keyboard.press('Enter')
  await page.waitForURL(gateway.url('notes/one%20%26%20two?receive'))
  await page.goBack()
  await page.fill('#have-name', gateway.url('other?receive&text'))
  await page.click('#have-go')
  await page.waitForURL(gateway.url('other?receive&text'))
})

/** The address at which other machines find this one: the test needs a network card. */
const isOwn = /^(\d+\.){3}\d+$|^\[[\da-f:]+\]$/

t.test('a picture of 127.0.0.1 says so, and offers the addresses on which the gateway listens', async (t) => {
  const gateway = await start(t, [], { host: '0.0.0.0', hosts: '' })
  const page = await open(t, gateway.origin)
  await chooseText(page, 'for the phone', 'near')
  await page.click('#send')
  await headline(page, 'Waiting')
  await reads(page, '#only-here', /^This link leads to 127\.0\.0\.1: it works on this machine only\. Choose an address/)
  const labels = await page.locator('#places label').allTextContents()
  t.equal(labels[0], 'This machine only')
  t.match(labels[1], isOwn)
  const before = await page.getAttribute('#qr', 'src')
  await page.click(`#places >> text=${labels[1]}`)
  t.notOk(await page.isVisible('#only-here'))
  const link = (await page.textContent('#link'))!
  t.equal(link, `http://${labels[1]}:${gateway.port}/near?receive&text`)
  t.not(await page.getAttribute('#qr', 'src'), before)
  const receiver = await open(t, link)
  await receiver.click('#show')
  await reads(receiver, '#text', 'for the phone')
  await headline(page, 'Delivered')
  // Whoever comes from elsewhere has an address that is good for others.
  const remote = await open(t, `http://${labels[1]}:${gateway.port}/`)
  t.match(JSON.parse((await remote.textContent('#data'))!), { addresses: [] })
})

t.test('on 127.0.0.1 only there is nothing to offer but the way to change that', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await chooseText(page, 'x')
  await page.click('#send')
  await reads(page, '#only-here', /works on this machine only\. .* start the gateway with --host 0\.0\.0\.0\.$/)
  t.notOk(await page.isVisible('#places'))
})

t.test('after a failure it tries again with the same file and name', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin, { expected: /Failed to load resource|ERR_/ })
  const path = join(mkdtempSync(join(folder, 'given-')), 'again.bin')
  const digest = await makeFile(path, 60_000_000)
  await page.setInputFiles('#file', path)
  await nameIt(page, 'again')
  await page.click('#send')
  const first = curl(['--limit-rate', '5M', '-o', '/dev/null', gateway.url('again')])
  await headline(page, 'Sending')
  t.notOk(await page.isVisible('#share'), 'all who were to come are there')
  first.kill()
  await headline(page, 'Not delivered')
  await page.click('#try-again')
  await headline(page, 'Waiting')
  t.match(await page.textContent('#link'), /\/again\?receive$/)
  const into = mkdtempSync(join(folder, 'taken-'))
  t.equal((await (await rig.shownCommand(page, [], into)).result).code, 0)
  await headline(page, 'Delivered')
  t.equal(digestOf(join(into, 'again.bin')), digest)
  t.notOk(await page.isVisible('#try-again'))
})

t.test('a zip is cancelled while it is prepared, and tried again', async (t) => {
  const gateway = await start(t)
  const { page } = await rig.chromium.open(t)
  // Reading takes as long as the test wants.
  await page.addInitScript(`{
    const { stream } = Blob.prototype
    const held = new Promise((go) => { window.letGo = go })
    Blob.prototype.stream = function () {
      const reader = stream.call(this).getReader()
      return { getReader: () => ({ read: async () => { await held; return reader.read() } }) }
    }
  }`)
  await page.goto(gateway.origin)
  await page.setInputFiles('#file', [small('a', 'one'), small('b', 'two')])
  await page.click('#send')
  await headline(page, 'Preparing')
  await reads(page, '#details', '0 % of 6 B')
  await page.click('#cancel')
  await page.evaluate('letGo()')
  await headline(page, 'Cancelled')
  await gateway.holds(0, 0)
  await page.click('#try-again')
  await headline(page, 'Waiting')
  const into = mkdtempSync(join(folder, 'taken-'))
  await (await rig.shownCommand(page, [], into)).result
  t.same(Object.keys(unpack(join(into, 'files.zip'))), ['a', 'b'])
})

t.test('what takes less than a second has no speed', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await chooseText(page, 'hello')
  await page.click('#send')
  await headline(page, 'Waiting')
  await (await rig.shownCommand(page)).result
  await headline(page, 'Delivered')
  await reads(page, '#sentence', /^5 B in \d+ ms\.$/)
})

async function dataOf(page: Page): Promise<{ readonly mayAutostart: boolean }> {
  return JSON.parse((await page.textContent('#data'))!)
}

t.test('what the address has filled in', async (t) => {
  const gateway = await start(t)
  const page = await open(t, `${gateway.origin}/?name=notes&n=2&text=hello%20you&filename=h%C3%A9llo.txt`)
  t.equal(await page.inputValue('#text'), 'hello you')
  t.match(await page.textContent('#link'), /\/notes\?receive&text&n=2$/)
  await page.click('#send')
  await reads(page, '#sentence', /^Waiting for 2 receivers\./)
  const into = [1, 2].map(() => mkdtempSync(join(folder, 'taken-')))
  const receivers = into.map((each) => curl(['-OJ', '--output-dir', each, gateway.url('notes?n=2')]))
  for (const { result } of receivers) t.equal((await result).code, 0)
  for (const each of into) {
    const [name = ''] = readdirSync(each)
    t.match(name, /^h.*llo\.txt$/, 'as curl reads the name')
    t.equal(readFileSync(join(each, name), 'utf8'), 'hello you')
  }
  await headline(page, 'Delivered')

  const file = await open(t, `${gateway.origin}/?mode=text`)
  t.ok(await file.isVisible('#text'))
  const other = await open(t, `${gateway.origin}/?mode=file&text=kept`)
  t.ok(await other.isVisible('#drop'))
})

t.test(
  'autostart: text is sent at once, a file when it is chosen, and its name is what the address says',
  async (t) => {
    const gateway = await start(t)
    const page = await open(t, `${gateway.origin}/?name=auto&text=hello&autostart`)
    await headline(page, 'Waiting')
    t.equal((await curl([gateway.url('auto')]).result).stdout.toString(), 'hello')
    const other = await open(t, `${gateway.origin}/?name=auto2&filename=renamed.txt&autostart=1`)
    t.ok(await other.isVisible('#drop'))
    await other.setInputFiles('#file', small('a.txt', 'hello'))
    await headline(other, 'Waiting')
    const into = mkdtempSync(join(folder, 'taken-'))
    await (await rig.shownCommand(other, [], into)).result
    t.equal(readFileSync(join(into, 'renamed.txt'), 'utf8'), 'hello')
    for (const off of ['0', 'false', 'no']) {
      const page = await open(t, `${gateway.origin}/?name=off&text=hello&autostart=${off}`)
      t.ok(await page.isVisible('#send'))
    }
  },
)

t.test('a link of another site starts nothing by itself', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  t.equal((await dataOf(page)).mayAutostart, true)
  // Another host of this machine is another site.
  await page.goto(`http://localhost:${gateway.port}/`)
  await page.evaluate(`{
    const link = document.createElement('a')
    link.href = '${gateway.origin}/?name=lured&text=hello&autostart'
    document.body.append(link)
    link.click()
  }`)
  await page.waitForURL(/lured/)
  t.equal((await dataOf(page)).mayAutostart, false)
  t.ok(await page.isVisible('#send'))
  await gateway.holds(0, 0)
  const robot = await open(t, `${gateway.origin}/?name=lured&text=hello&autostart`, { userAgent: 'Slackbot 1.0' })
  t.equal((await dataOf(robot)).mayAutostart, false)
})

t.test('at 360 pixels nothing is clipped, and everything is large enough for a finger', async (t) => {
  const gateway: Running = await start(t, [], { host: '0.0.0.0', hosts: '' })
  const page = await open(t, gateway.origin, PHONE)
  await fits(t, page, 'at first')
  const long = `${'a very long name of a file '.repeat(4)}.jpg`
  await page.setInputFiles('#file', [small(long, 'x'), small('x'.repeat(200), 'x')])
  await page.click('#options > summary')
  await fits(t, page, 'with files')
  await page.click('#send')
  await headline(page, 'Waiting')
  await page.click('#terminal summary')
  await fits(t, page, 'with its link')
  await page.click('#cancel')
  await headline(page, 'Cancelled')
  await fits(t, page, 'at the end')
})

/** Relative luminance: WCAG 2.2. */
const CONTRAST = `(one, other) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}`

t.test('the chosen tab stands out, on light and on dark', async (t) => {
  const gateway = await start(t)
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await open(t, gateway.origin, { colorScheme })
    const [chosen, other, track] = (await page.evaluate(`[
      ...[...document.querySelectorAll('.kinds span')].map((each) => getComputedStyle(each)),
    ].map(({ backgroundColor, color, fontWeight }) => ({ backgroundColor, color, fontWeight })).concat(
      { backgroundColor: getComputedStyle(document.querySelector('.kinds')).backgroundColor })`)) as Record<
      string,
      string
    >[]
    const contrast = (one: string, two: string) => page.evaluate(`(${CONTRAST})('${one}', '${two}')`) as Promise<number>
    t.ok(Number(chosen!.fontWeight) > Number(other!.fontWeight))
    t.ok((await contrast(chosen!.color!, chosen!.backgroundColor!)) > 7, 'its text is easy to read')
    t.ok((await contrast(other!.color!, track!.backgroundColor!)) > 4.5, 'that of the other one can be read')
    const lift = await contrast(chosen!.backgroundColor!, track!.backgroundColor!)
    t.ok(lift > 1.2, `${colorScheme}: its ground has a contrast of ${lift.toFixed(2)} to the track`)
    const lightness = await page.evaluate(
      `[${[chosen, track].map((each) => `(${CONTRAST})('black', '${each!.backgroundColor}')`)}]`,
    )
    t.ok((lightness as number[])[0]! > (lightness as number[])[1]!, 'it is raised, not sunk')
  }
})

t.test('a name that is on its way to a receiver is not shown as one to open', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await chooseText(page, 'x'.repeat(100), 'seen')
  await page.click('#send')
  await eventually(async () => (await page.isVisible('#share')) || 'the link is not shown')
  t.equal((await (await rig.shownCommand(page)).result).code, 0)
  await headline(page, 'Delivered')
  t.notOk(await page.isVisible('#share'))
})
