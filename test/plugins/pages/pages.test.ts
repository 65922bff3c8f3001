/** The pages that send and receive, in a real browser and before the real gateway; the other side is curl, or another page. */

import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import links from '../../../plugins/links/index.js'
import type { TabOptions } from '../../support/browser.js'
import { curl, curlDone } from '../../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { picture, schemesAt } from '../looks.js'
import { chooseText, digestOf, headline, makeFile, nameIt, PagesRig, reads, small, start } from './rig.js'

const LARGE = 200_000_000
const OWNER = newToken()

/** A browser on a machine that is three times slower. */
t.setTimeout(300_000)

const rig = await PagesRig.start(t)
const { folder, open } = rig
const large = join(mkdtempSync(join(folder, 'given-')), 'large file.bin')
const largeDigest = await makeFile(large, LARGE)
const shownCommand = rig.shownCommand.bind(rig)

t.test('a file of 200 MB goes from the page to curl', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  t.match(await page.inputValue('#name'), /^[a-z]+-[a-z]+-[a-z]+-[a-z]+-\d{3}$/)
  await page.setInputFiles('#file', large)
  await reads(page, '#files', /^large file\.bin ?200 MB/)
  await page.click('#send')
  await headline(page, 'Waiting')
  await reads(page, '#sentence', 'Waiting for the receiver. Nothing is stored: keep this page open.')
  const receiver = await shownCommand(page, [], folder)
  await headline(page, 'Delivered')
  await reads(page, '#sentence', /^200 MB in \d.*\.$/)
  await reads(page, '#lines', /Upload complete\. \[INFO\] Transfer complete\.$/)
  t.match(await page.title(), 'Delivered')
  t.equal((await receiver.result).code, 0)
  t.equal(digestOf(join(folder, 'large file.bin')), largeDigest)
})

t.test('a file of 200 MB goes from curl to the page that receives', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('big?receive'))
  await headline(page, 'Nobody is sending yet')
  const sender = curl([
    '-T',
    large,
    '-H',
    'Content-Disposition: attachment; filename="big one.bin"',
    gateway.url('big'),
  ])
  await headline(page, 'Ready')
  await reads(page, '#sentence', 'The sender is waiting for you.')
  const begun = page.waitForEvent('download')
  await page.click('#save')
  const download = await begun
  t.equal(download.suggestedFilename(), 'big one.bin')
  await headline(page, 'Complete')
  await reads(page, '#sentence', /^All of it has arrived: 200 MB in /)
  t.equal(digestOf(await download.path()), largeDigest)
  t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
  t.ok(await page.isVisible('#save'), 'and again')
})

t.test('text goes from a phone to another one, by the link that the page shows', async (t) => {
  const gateway = await start(t)
  const viewport = { width: 360, height: 740 }
  const page = await open(t, `${gateway.origin}/api/v1/pipe/`, { viewport, hasTouch: true, isMobile: true })
  await chooseText(page, 'Grüße,\n<b>not bold</b>', 'notes/one & two')
  const link = (await page.textContent('#link'))!
  t.equal(link, `${gateway.origin}/api/v1/pipe/notes/one%20%26%20two?receive&text`)
  const other = await open(t, link, { viewport, hasTouch: true, isMobile: true })
  await reads(other, 'h1 bdi', 'notes/one & two')
  await page.click('#send')
  await headline(other, 'Ready')
  await other.click('#show')
  await reads(other, '#text', 'Grüße, <b>not bold</b>')
  await headline(other, 'Received')
  await headline(page, 'Delivered')
  for (const each of [page, other]) t.equal(await each.evaluate('document.documentElement.scrollWidth'), 360)
})

t.test('what is dropped or pasted is chosen', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  const hand = (event: string, key: string, fill: string) =>
    page.evaluate(`{
      const data = new DataTransfer()
      ${fill}
      document.body.dispatchEvent(new ${event === 'drop' ? 'DragEvent' : 'ClipboardEvent'}('${event}', { ${key}: data, bubbles: true, cancelable: true }))
    }`)
  const file = (name: string) => `data.items.add(new File(['hello'], '${name}'))`
  await hand('drop', 'dataTransfer', file('dropped.txt'))
  await reads(page, '#files', /^dropped\.txt ?5 B/)
  await hand('paste', 'clipboardData', file('pasted.png'))
  await reads(page, '#chosen', '2 files, 10 B, as files.zip')
  await hand('paste', 'clipboardData', `data.setData('text/plain', 'pasted words')`)
  t.equal(await page.inputValue('#text'), 'pasted words')
  t.ok(await page.isVisible('#text'))
  await page.click('#send')
  await headline(page, 'Waiting')
  t.equal((await (await shownCommand(page)).result).stdout.toString(), 'pasted words')
  await headline(page, 'Delivered')
})

t.test('to three receivers', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await chooseText(page, 'to all', 'three')
  await page.fill('#receivers', '3')
  t.match(await page.textContent('#link'), /three\?receive&text&n=3$/)
  const early = await shownCommand(page)
  await gateway.holds(1, 0)
  await page.click('#send')
  await reads(page, '#sentence', /^Waiting for 2 more receivers\./)
  const other = await open(t, (await page.textContent('#link'))!)
  await other.click('#show')
  await reads(page, '#sentence', /^Waiting for 1 more receiver\./)
  const late = await shownCommand(page)
  await headline(page, 'Delivered')
  await reads(other, '#text', 'to all')
  for (const run of [early, late]) t.equal((await run.result).stdout.toString(), 'to all')
})

t.test('cancelled: both sides know', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  await page.setInputFiles('#file', large)
  await nameIt(page, 'stop')
  await page.click('#send')
  const receiver = curl(['--limit-rate', '20M', '-o', '/dev/null', gateway.url('stop')])
  await headline(page, 'Sending')
  await page.click('#cancel')
  await headline(page, 'Cancelled')
  t.equal(await gateway.ended('stop'), 'sender_left')
  t.not((await receiver.result).code, 0)
  await page.click('#more')
  t.ok(await page.isVisible('#form'))
  t.not(await page.inputValue('#name'), 'stop')
})

t.test('the receiver leaves: not delivered', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin, { expected: /Failed to load resource|ERR_/ })
  await page.setInputFiles('#file', large)
  await nameIt(page, 'gone')
  await page.click('#send')
  const receiver = curl(['--limit-rate', '20M', '-o', '/dev/null', gateway.url('gone')])
  await headline(page, 'Sending')
  receiver.kill()
  await headline(page, 'Not delivered')
  await reads(page, '#sentence', 'All receivers disconnected before transfer completed.')
})

t.test('the sender leaves: the page that receives says that it failed', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('half?receive&text'), { expected: /Failed to load resource|ERR_/ })
  const sender = curl(['-N', '-T', '-', gateway.url('half')])
  sender.stdin.write('the first half')
  await headline(page, 'Ready')
  await page.click('#show')
  await reads(page, '#text', 'the first half')
  sender.kill()
  await headline(page, 'Failed')
  await reads(page, '#sentence', 'The stream was cut: what is here is not all of it.')
})

t.test('what is coming is told before anything is taken', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('coming?receive'))
  const head = ['-H', 'Content-Type: application/pdf', '-H', 'Content-Disposition: attachment; filename="to sign.pdf"']
  const sender = curl([...head, '--data-binary', '@-', gateway.url('coming')], { input: Buffer.alloc(2_100_000) })
  await headline(page, 'Ready')
  await reads(page, 'h1', 'to sign.pdf')
  await reads(page, '#what', '2.1 MB · PDF document')
  await reads(page, '#under', 'Sent to you as coming')
  const begun = page.waitForEvent('download')
  await page.click('#save')
  t.equal((await begun).suggestedFilename(), 'to sign.pdf')
  t.match((await sender.result).stdout.toString(), /Transfer complete/)
})

t.test('a download that fails is told, too', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('half?receive'))
  const sender = curl(['-N', '-T', '-', gateway.url('half')])
  sender.stdin.write('the first half')
  await headline(page, 'Ready')
  const begun = page.waitForEvent('download')
  await page.click('#save')
  const download = await begun
  await headline(page, 'Receiving')
  sender.kill()
  await headline(page, 'Failed')
  await reads(
    page,
    '#sentence',
    'The sender left at 14 B. What was saved is not complete. Ask the sender to send it again.',
  )
  t.ok(await download.failure())
})

t.test('what is shown as text and is none is saved, and nothing of it is lost', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.url('what?receive&text'))
  const bytes = Buffer.from([0x68, 0x69, 0xff, 0x00, 0x0a])
  const sender = curl(['-N', '-H', 'Content-Type: text/plain', '-T', '-', gateway.url('what')], { input: bytes })
  await headline(page, 'Ready')
  const begun = page.waitForEvent('download')
  await page.click('#show')
  const download = await begun
  t.same(readFileSync(await download.path()), bytes)
  await reads(page, '#sentence', 'All of it was received, and saved as what.')
  t.equal((await sender.result).code, 0)
})

t.test('names that cannot be had, and what is missing, are said before anything is sent', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin, { expected: /Failed to load resource/ })
  const says = async (text: string | RegExp) => {
    await page.click('#send')
    await reads(page, '#problem', text)
  }
  await page.setInputFiles('#file', small('a.txt', 'hello'))
  for (const [name, problem] of [
    ['', 'Give it a name.'],
    ['a/../b', /^Between slashes/],
    ['//evil.example', /^A name does not begin/],
    ['Help', /^The name "help" is reserved\./],
    ['a\\b', /backslash/],
  ] as const) {
    await nameIt(page, name)
    await says(problem)
  }
  await nameIt(page, 'taken')
  await page.fill('#receivers', '0')
  await says('Receivers: 1 to 256.')
  await page.fill('#receivers', '1')
  const two = curl([gateway.url('taken?n=2')])
  await gateway.holds(1, 0)
  await says('Whoever waits under this name says that there are 2 receivers.')
  two.kill()
  await gateway.holds(0, 0)
  curl(['-d', 'first', gateway.url('taken')])
  await gateway.holds(1, 0)
  await says('Somebody is sending under this name already. Choose another one.')
  t.ok(await page.isVisible('#form'))
})

t.test('a collision that nobody could see before is told as plainly', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin, { expected: /Failed to load resource/ })
  await page.route('**/race?status', async (route) => {
    const answer = await route.fetch()
    curl(['-d', 'first', gateway.url('race')])
    await gateway.holds(1, 0)
    await route.fulfill({ response: answer })
  })
  await chooseText(page, 'second', 'race')
  await page.click('#send')
  await headline(page, 'Not sent')
  await reads(page, '#sentence', /sender/)
})

t.test('the last transfer of a name is not taken for this one', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  // The page looks before its own request is there, as it may happen.
  await page.route('**/again?wait=*', async (route) => {
    await page.waitForResponse(/again\?progress/)
    await route.continue()
  })
  for (const text of ['one', 'two']) {
    await chooseText(page, text, 'again')
    await page.click('#send')
    await headline(page, 'Waiting')
    t.equal((await (await shownCommand(page)).result).stdout.toString(), text)
    await headline(page, 'Delivered')
    await page.click('#more')
  }
})

t.test('with tokens: the page asks for one, and gives out links that need none', async (t) => {
  const gateway = await start(t, [
    { plugin: authBearer, config: { tokens: [{ name: 'owner', hash: OWNER.hash, project: 'one' }] } },
    { plugin: links, config: { secret: 'a secret of a good length, for tests only' } },
  ])
  const expected = /Failed to load resource/
  const page = await open(t, gateway.origin, { expected })
  await chooseText(page, 'for you only', 'private')
  await page.click('#send')
  await reads(page, '#problem', 'This gateway asks for a token.')
  t.equal(await page.evaluate('document.activeElement.id'), 'token')
  await page.fill('#token', 'pg_wrong')
  await page.keyboard.press('Enter')
  await reads(page, '#problem', 'The gateway does not take this token.')
  await page.fill('#token', OWNER.token)
  await page.keyboard.press('Enter')
  await headline(page, 'Waiting')
  const link = (await page.textContent('#link'))!
  t.match(link, /private\?receive&text&sig=/)
  const other = await open(t, link, { expected })
  await other.click('#show')
  await reads(other, '#text', 'for you only')
  await headline(page, 'Delivered')
  t.equal(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length'), 0)
})

t.test('with a token in the page that receives, the browser downloads by a link', async (t) => {
  const gateway = await start(t, [
    { plugin: authBearer, config: { tokens: [{ name: 'owner', hash: OWNER.hash, project: 'one' }] } },
    { plugin: links, config: { secret: 'a secret of a good length, for tests only' } },
  ])
  const page = await open(t, gateway.url('private?receive'), { expected: /Failed to load resource/ })
  await reads(page, '#problem', 'This gateway asks for a token.')
  await page.fill('#token', OWNER.token)
  await page.keyboard.press('Tab')
  await headline(page, 'Nobody is sending yet')
  curl(['-H', `Authorization: Bearer ${OWNER.token}`, '-d', 'for you only', gateway.url('private')])
  await headline(page, 'Ready')
  const begun = page.waitForEvent('download')
  await page.click('#save')
  t.equal(readFileSync(await (await begun).path(), 'utf8'), 'for you only')
  await headline(page, 'Complete')
})

t.test('without ?progress it still sends, and knows the end', async (t) => {
  const plugins = (await defaultPlugins()).filter(({ plugin }) => plugin.name !== 'progress')
  const gateway = await startGateway(t, {}, { plugins })
  const page = await open(t, gateway.origin, { expected: /Failed to load resource/ })
  await chooseText(page, 'blind', 'blind')
  await page.click('#send')
  await headline(page, 'Sending')
  t.equal((await (await shownCommand(page)).result).stdout.toString(), 'blind')
  await headline(page, 'Delivered')
  await reads(page, '#sentence', 'Every receiver has all of it.')
})

t.test('by keyboard alone, and read out', async (t) => {
  const gateway = await start(t)
  const page = await open(t, gateway.origin)
  for (let i = 0; i < 3; i++) await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Tab')
  await page.keyboard.type('typed')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('keys')
  await page.keyboard.press('Enter')
  await headline(page, 'Waiting')
  t.equal(await page.evaluate('document.activeElement.id'), 'headline', 'the focus is where it goes on')
  await reads(page, '#live', /^Waiting\. Waiting for the receiver/)
  t.equal((await curlDone([gateway.url('keys')])).stdout.toString(), 'typed')
  await reads(page, '#live', /^Delivered\. /)
  const unnamed = `[...document.querySelectorAll('input, textarea, button, progress')].filter(e => !e.labels?.length && !e.ariaLabel && !e.textContent.trim()).length`
  t.equal(await page.evaluate(unnamed), 0)
})

t.test('without scripts: a name, then a form, and a page whose link downloads', async (t) => {
  const gateway = await start(t)
  const options = { javaScriptEnabled: false }
  const page = await open(t, gateway.origin, options)
  t.equal(await page.isVisible('#form'), false)
  await page.click('noscript a')
  t.match(await page.inputValue('#name'), /-\d{3}$/)
  await page.fill('#name', `plain "name"`)
  await page.click('button')
  for (const form of await page.locator('form[method=post]').all())
    t.equal(await form.getAttribute('action'), '/plain%20%22name%22')
  await page.fill('#text', 'from a form')
  const receiver = curl([gateway.url('plain%20%22name%22')])
  await page.click('main >> button:text("Send the text")')
  t.equal((await receiver.result).stdout.toString(), 'from a form')
  await reads(page, 'body', /Transfer complete\.$/)
  const other = await open(t, gateway.url('plain%20%22name%22?receive'), options)
  curl(['-d', 'no scripts', gateway.url('plain%20%22name%22')])
  const begun = other.waitForEvent('download')
  await other.click('#save')
  t.equal(readFileSync(await (await begun).path(), 'utf8'), 'no scripts')
})

t.test('a form cannot be made to send elsewhere', async (t) => {
  const gateway = await start(t)
  for (const name of ['//evil.example', '/evil.example', '../x', '"><script>alert(1)</script>']) {
    const { stdout } = await curlDone([`${gateway.origin}/noscript?name=${encodeURIComponent(name)}`])
    const body = stdout.toString()
    t.notMatch(body, /action="\/\/|href="\/\/|<script>/, name)
    t.match(body, name.startsWith('"') ? 'method="post"' : 'class="problem">')
  }
})

t.test('to a curl ?receive is a receiver, and ?text and ?receive are nothing for a sender', async (t) => {
  const gateway = await start(t)
  const receiver = curl([gateway.url('plain?receive')])
  const sender = await curlDone(['-d', 'hello', gateway.url('plain?receive&text')])
  t.equal(sender.code, 0)
  t.equal((await receiver.result).stdout.toString(), 'hello')
})

t.test('what a machine asks for', async (t) => {
  const gateway = await start(t)
  const get = async (path: string) => (await curlDone(['-i', `${gateway.origin}${path}`])).stdout.toString()
  for (const path of ['/robots.txt', '/api/v1/pipe/robots.txt', '/Robots.txt/'])
    t.match(await get(path), /^HTTP\/1\.1 200 [\s\S]*text\/plain[\s\S]*\r\n\r\nUser-agent: \*\nDisallow: \/\n$/)
  t.match(await get('/favicon.ico'), /^HTTP\/1\.1 200 [\s\S]*image\/svg\+xml[\s\S]*<svg /)
  t.match(await get('/help'), `curl -T file http://127.0.0.1:${gateway.port}/api/v1/pipe/some-name`)
  for (const path of ['/', '/api/v1/pipe', '/api/v1/pipe/', '/noscript', '/x?receive']) {
    const { stdout } = await curlDone(['-i', '-H', 'Accept: text/html', `${gateway.origin}${path}`])
    const page = stdout.toString()
    t.match(page, /^HTTP\/1\.1 200 /)
    t.match(page, /content-security-policy: default-src 'none'; .*frame-ancestors 'none'\r/i)
    t.match(page, /cache-control: no-store\r/i)
    t.notMatch(page, /(src|href)="https?:/, 'nothing from outside')
  }
  t.match((await curlDone(['-X', 'PUT', '-d', 'x', `${gateway.origin}/`])).stdout.toString(), /is reserved/)
  const without = await startGateway(t)
  t.match((await curlDone([without.origin])).stdout.toString(), 'curl -T file')
})

const STILL: TabOptions = { reducedMotion: 'reduce' }

type Look = (t: Test, gateway: Running) => Promise<Page>

const LOOKS: Readonly<Record<string, Look>> = {
  'send-file': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await page.setInputFiles('#file', large)
    return page
  },
  'send-text': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await chooseText(page, 'The door code is 4711.\nRing twice.')
    return page
  },
  'send-start': async (t, gateway) => open(t, gateway.origin, STILL),
  'send-problem': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await page.setInputFiles('#file', [small('sea.jpg', 'x'), small('a rather long name of a picture.jpg', 'xy')])
    await nameIt(page, '../holiday')
    await page.click('#send')
    return page
  },
  'send-waiting': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await page.setInputFiles('#file', large)
    await page.click('#send')
    await headline(page, 'Waiting')
    return page
  },
  'send-streaming': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await page.setInputFiles('#file', large)
    await page.click('#send')
    await headline(page, 'Waiting')
    await shownCommand(page, ['--limit-rate', '20M'])
    await headline(page, 'Sending')
    await reads(page, '#details', /left$/)
    return page
  },
  'send-delivered': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await chooseText(page, 'hello')
    await page.click('#send')
    await headline(page, 'Waiting')
    await shownCommand(page)
    await headline(page, 'Delivered')
    await page.click('#said summary')
    return page
  },
  'send-failed': async (t, gateway) => {
    const page = await open(t, gateway.origin, STILL)
    await page.setInputFiles('#file', large)
    await page.click('#send')
    await headline(page, 'Waiting')
    const receiver = await shownCommand(page, ['--limit-rate', '20M'])
    await headline(page, 'Sending')
    receiver.kill()
    await headline(page, 'Not delivered')
    return page
  },
  'receive-ready': async (t, gateway) => {
    const page = await open(t, gateway.url('amber-otter-lantern-maple-407?receive'), STILL)
    curl(['-d', 'x', gateway.url('amber-otter-lantern-maple-407')])
    await headline(page, 'Ready')
    return page
  },
  'receive-text': async (t, gateway) => {
    const page = await open(t, gateway.url('amber-otter-lantern-maple-407?receive&text'), STILL)
    curl(['-d', 'The door code is 4711.\nRing twice.', gateway.url('amber-otter-lantern-maple-407')])
    await headline(page, 'Ready')
    await page.click('#show')
    await headline(page, 'Received')
    return page
  },
  'receive-failed': async (t, gateway) => {
    const page = await open(t, gateway.url('half?receive'), STILL)
    const sender = curl(['-N', '-T', '-', gateway.url('half')])
    sender.stdin.write('the first half')
    await headline(page, 'Ready')
    await page.click('#save')
    await headline(page, 'Receiving')
    sender.kill()
    await headline(page, 'Failed')
    return page
  },
  noscript: async (t, gateway) => open(t, gateway.url('noscript?name=notes'), STILL),
}

t.test('on a phone and on a desk, light and dark: it fits, and can be looked at afterwards', async (t) => {
  for (const [look, make] of Object.entries(LOOKS)) {
    await t.test(look, async (t) => {
      const page = await make(t, await start(t))
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: width === 360 ? 740 : 880 })
        for (const colorScheme of schemesAt(width)) {
          await page.emulateMedia({ colorScheme })
          await picture(page, `pages-${look}-${width}-${colorScheme}`, true)
          t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing to scroll to the side')
        }
      }
    })
  }
})
