/** Pages: values never become markup, and the policy allows only what the page needs. */

import t from 'tap'
import { html, htmlPage, trustedHtml } from '../../../gateway/host/plugin-api.js'

const NASTY = `</title></script><script>alert("1")</script><!-- & 'x'`

function header(page: ReturnType<typeof htmlPage>, name: string): string | undefined {
  return page.headers.find(([key]) => key === name)?.[1]
}

t.test('values are escaped, markup and lists are not, absent ones leave nothing', async (t) => {
  t.equal(html`<i title="${`"'`}">${'<b>'}${trustedHtml('<b>')}</i>`.text, '<i title="&quot;&#39;">&lt;b&gt;<b></i>')
  t.equal(html`${[html`<li>${1}</li>`, html`<li>${'&'}</li>`]}`.text, '<li>1</li><li>&amp;</li>')
  t.equal(html`${null}${undefined}${false}${0}`.text, '0')
})

t.test('values of a page never become markup', async (t) => {
  const { body } = htmlPage({ title: NASTY, body: html`<p>${NASTY}</p>`, data: { NASTY } })
  t.equal(body.match(/<script/g)?.length, 1, 'its own data')
  t.equal(body.match(/<\/script/g)?.length, 1)
  t.notMatch(body, '<!--')
  const json = /id="data">(.*)<\/script>/.exec(body)![1]!
  t.same(JSON.parse(json), { NASTY })
})

t.test('only what carries the nonce of this answer runs', async (t) => {
  const page = { title: 'x', body: html`x`, styles: ['p {}'], scripts: ['1', '2'] }
  const [one, other] = [htmlPage(page), htmlPage(page)]
  const nonce = /script-src 'nonce-([^']{22,})';/.exec(header(one, 'Content-Security-Policy')!)![1]!
  t.equal(one.body.split(`nonce="${nonce}"`).length - 1, 3)
  t.notMatch(other.body, nonce)
  t.equal(
    header(one, 'Content-Security-Policy')?.replaceAll(nonce, 'N'),
    "default-src 'none'; script-src 'nonce-N'; style-src 'nonce-N'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  t.equal(header(one, 'Cache-Control'), 'no-store')
  t.equal(header(one, 'X-Content-Type-Options'), 'nosniff')
  t.equal(header(one, 'Referrer-Policy'), 'no-referrer')
})

t.test('a page chooses its frame ancestors and form action, and no other part of the policy', async (t) => {
  const page = { title: 'x', body: html`x` }
  const own = htmlPage({ ...page, frameAncestors: "'self' https://a.example", formAction: "'self'" })
  const policy = header(own, 'Content-Security-Policy')
  t.equal(header(own, 'Referrer-Policy'), 'same-origin', 'its forms say whose they are')
  t.match(policy, "form-action 'self'; frame-ancestors 'self' https://a.example")
  for (const frameAncestors of ['', "*; script-src 'unsafe-inline'", 'a,b', 'a\r\nX: y'])
    t.throws(() => htmlPage({ ...page, frameAncestors }), /no list of CSP sources/)
  t.throws(() => htmlPage({ ...page, scripts: ['"</SCRIPT>"'] }), /cannot contain/)
  t.throws(() => htmlPage({ ...page, scripts: ['"<!--"'] }), /cannot contain/)
  t.throws(() => htmlPage({ ...page, styles: ['</style>'] }), /cannot contain/)
})
