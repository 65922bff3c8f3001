/** Robots that preview a link, browsers that fetch ahead, and people who follow it: none of them takes a place or a byte. */
import t, { type Test } from 'tap'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { connect, type RawResponse } from '../../support/raw.js'

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

/** As their operators document them, with the `Accept` that each sends. */
const ROBOTS: readonly (readonly [agent: string, accept: string])[] = [
  ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', '*/*'],
  ['Twitterbot/1.0', 'text/html,application/xhtml+xml'],
  ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', '*/*'],
  ['Slack-ImgProxy (+https://api.slack.com/robots)', '*/*'],
  ['Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)', ''],
  ['TelegramBot (like TwitterBot)', ''],
  ['WhatsApp/2.23.20.0 A', '*/*'],
  ['LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)', '*/*'],
  ['Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com', '*/*'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko; Applebot/0.1)', HTML],
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', HTML],
  ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', '*/*'],
  ['Mastodon/4.3.0 (http.rb/5.2.0; +https://mastodon.example/) Bot', 'text/html'],
  ['Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)', '*/*'],
  ['Synapse (bot; +https://github.com/matrix-org/synapse)', '*/*'],
  ['Mozilla/5.0 (compatible; ZulipURLPreview/9.0; +https://zulip.example)', '*/*'],
  ['facebookexternalhit/1.1;line-poker/1.0', '*/*'],
  ['Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)', '*/*'],
  ['Iframely/1.3.1 (+https://iframely.com/docs/about)', '*/*'],
  ['Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)', '*/*'],
]

const AHEAD = [
  'Sec-Purpose: prefetch',
  'Sec-Purpose: prefetch;prerender',
  'Sec-Purpose: prefetch;anonymous-client-ip',
  'Purpose: prefetch',
  'X-Moz: prefetch',
  'X-Purpose: preview',
  'X-Purpose: instant',
]

async function ask(gw: Running, target: string, ...headers: string[]): Promise<RawResponse> {
  const client = await connect({ port: gw.port })
  await client.send([`GET ${target} HTTP/1.1`, `Host: 127.0.0.1:${gw.port}`, ...headers, '', ''].join('\r\n'))
  const response = await client.waitForResponse()
  client.destroy()
  return response
}

/** A sender waits at `/file` while `look` goes on, and then everything of it reaches a curl. */
async function whileItWaits(t: Test, gw: Running, look: () => Promise<void>): Promise<string> {
  const sender = curl(['-T', '-', gw.url('file')], { input: 'what is sent' })
  await gw.holds(1, 0)
  await look()
  t.equal(gw.gateway.table.get('file')?.receiversPresent, 0, 'no place is taken')
  const received = await curlDone([gw.url('file')])
  t.equal(received.stdout.toString(), 'what is sent')
  const told = (await sender.result).stdout.toString()
  t.match(told, /Transfer complete\.\n$/)
  t.notMatch(told, /disconnected/, 'the sender has not been disturbed')
  return told
}

t.test('a robot that previews the link is shown a page', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  await whileItWaits(t, gw, async () => {
    for (const [agent, accept] of ROBOTS) {
      for (const query of ['', '?receive', '?download', '?n=1&wait=60']) {
        const headers = [`User-Agent: ${agent}`, ...(accept === '' ? [] : [`Accept: ${accept}`])]
        const { status, headers: told, body } = await ask(gw, `/file${query}`, ...headers)
        const found = [status, told['content-type'], told['cache-control'], body.includes('what is sent')]
        t.same(found, [200, ['text/html; charset=utf-8'], ['no-store'], false], `${agent} ${query}`)
      }
    }
  })
})

t.test('the sender is told that somebody has looked, how often, and that nothing was taken', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const told = await whileItWaits(t, gw, async () => {
    const look = () => ask(gw, '/file', 'User-Agent: TelegramBot (like TwitterBot)')
    await look()
    t.equal(JSON.parse((await ask(gw, '/file?status')).body.toString()).looks, 1)
    for (let i = 1; i < 25; i++) await look()
    await ask(gw, '/file', 'User-Agent: curl/8.5.0', 'X-Moz: prefetch')
    t.equal(JSON.parse((await ask(gw, '/file?status')).body.toString()).looks, 25)
  })
  const lines = told.split('\n').filter((line) => line.includes('looked'))
  t.same(
    [lines.length, lines[0], lines.at(-1)],
    [
      11,
      '[INFO] Somebody has looked at this link; nothing was taken.',
      '[INFO] 20 times somebody has looked at this link; nothing was taken.',
    ],
  )
})

t.test('without the pages a robot is refused', async (t) => {
  const gw = await startGateway(t)
  await whileItWaits(t, gw, async () => {
    for (const [agent] of ROBOTS) {
      const { status, headers } = await ask(gw, '/file', `User-Agent: ${agent}`)
      t.same([status, headers['x-pipe-code'], headers['cache-control']], [503, ['ONLY_LOOKS'], ['no-store']], agent)
    }
  })
})

t.test('what a browser fetches ahead takes nothing', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  await whileItWaits(t, gw, async () => {
    for (const header of AHEAD) {
      for (const query of ['', '?download', '?receive', '?progress']) {
        const { status, headers, body } = await ask(gw, `/file${query}`, header, `Accept: ${HTML}`)
        const found = [status, headers['x-pipe-code'], headers['cache-control']]
        t.same(found, [503, ['ONLY_LOOKS'], ['no-store']], `${header} ${query}`)
        t.match(
          body.toString(),
          /^\[ERROR\] This request only looks ahead \([a-z-]+: [a-z;-]+\), and a stream is there once\./,
        )
      }
    }
  })
})

t.test('who goes there with a browser is shown the page that receives', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const firefox = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const ways: readonly (readonly string[])[] = [
    [firefox, `Accept: ${HTML}`, 'Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    [firefox, `Accept: ${HTML}`, 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    [firefox, `Accept: ${HTML}`, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    [firefox, `Accept: ${HTML}`],
    ['User-Agent: Lynx/2.9.0', `Accept: text/html, text/plain, */*;q=0.01`],
    ['Sec-Fetch-Mode: navigate'],
  ]
  await whileItWaits(t, gw, async () => {
    for (const headers of ways) {
      const { status, body } = await ask(gw, '/file', ...headers)
      t.equal(status, 200)
      t.match(body.toString(), /<a class="button primary" id="save" href="\?download&(amp;)?wait=3600" download>/)
    }
  })
})

t.test('who has come to take it takes it', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const takers: readonly (readonly [query: string, ...headers: string[]])[] = [
    ['', 'User-Agent: curl/8.5.0', 'Accept: */*'],
    ['?receive', 'User-Agent: curl/8.5.0', 'Accept: */*'],
    ['?receive', 'User-Agent: Wget/1.21.3', 'Accept: */*'],
    ['', 'Accept: */*'],
    // What the class library of Java sends with every request.
    ['', 'User-Agent: Java/17.0.9', 'Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2'],
    // A worker, not a robot that looks.
    ['', 'User-Agent: backup-bot/2.1', 'Accept: */*'],
    ['', 'User-Agent: python-requests/2.31.0', 'Accept: */*'],
    ['', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors', 'Accept: */*'],
    [
      '?download',
      'Sec-Fetch-Site: same-origin',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
      `Accept: ${HTML}`,
    ],
    ['?download', 'User-Agent: Mozilla/5.0', `Accept: ${HTML}`],
  ]
  for (const [query, ...headers] of takers) {
    const sender = curl(['-T', '-', gw.url('file')], { input: 'what is sent' })
    await gw.holds(1, 0)
    const { body } = await ask(gw, `/file${query}`, ...headers)
    t.equal(body.toString(), 'what is sent', `${query} ${headers[0]}`)
    await sender.result
  }
})

t.test('a download without a type and a name has both', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const sender = curl(['-H', 'Content-Type:', '-T', '-', gw.url('backups/monday')], { input: 'x' })
  await gw.holds(1, 0)
  const { headers } = await ask(gw, '/backups/monday?download')
  const found = [headers['content-type'], headers['content-disposition']]
  t.same(found, [['application/octet-stream'], ['attachment; filename=monday']])
  await sender.result
})

t.test('what is coming can be looked at, and the preview of a link says as much and no more', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const head = [
    '-H',
    'Content-Type: application/pdf; x=y',
    '-H',
    'Content-Disposition: attachment; filename="C:\\\\a\\\\b.pdf"',
  ]
  const sender = curl([...head, '--data-binary', '@-', gw.url('report')], { input: 'x'.repeat(2_100_000) })
  await gw.holds(1, 0)
  const page = (await ask(gw, '/report', 'User-Agent: Twitterbot/1.0')).body.toString()
  t.match(page, '<meta property="og:title" content="b.pdf">')
  t.match(
    page,
    '<meta property="og:description" content="application/pdf, 2.1 MB. To receive, straight from its sender.">',
  )
  const nothing = (await ask(gw, '/nothing', 'User-Agent: Twitterbot/1.0')).body.toString()
  t.match(nothing, '<meta property="og:title" content="nothing">')
  t.match(nothing, '<meta property="og:description" content="To receive, straight from its sender.">')
  const { fileName, mediaType, totalBytes } = JSON.parse((await curlDone([gw.url('report?status')])).stdout.toString())
  t.same([fileName, mediaType, totalBytes], ['b.pdf', 'application/pdf', 2_100_000])
  sender.kill()
})

t.test('where everybody needs credentials the preview of a link says nothing of what comes', async (t) => {
  const token = 'plain-token-of-30-characters..'
  const auth = { plugin: authBearer as unknown as Plugin, config: { tokens: [{ name: 'plain', token }] } }
  const gw = await startGateway(t, {}, { plugins: [auth, ...(await defaultPlugins())] })
  const head = ['-H', `Authorization: Bearer ${token}`, '-H', 'Content-Disposition: attachment; filename="secret.pdf"']
  const sender = curl([...head, '-T', '-', gw.url('report')], { input: 'x' })
  await gw.holds(1, 0)
  const page = (await ask(gw, '/report', 'User-Agent: Twitterbot/1.0')).body.toString()
  t.match(page, '<meta property="og:title" content="report">')
  t.match(page, '<meta property="og:description" content="To receive, straight from its sender.">')
  t.notMatch(page, 'secret')
  sender.kill()
})
