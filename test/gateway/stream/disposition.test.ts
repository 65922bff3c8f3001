/** Content-Dispositions and file names. */
import t from 'tap'
import type { DispositionOptions } from '../../../gateway/stream/disposition.js'
import { safeFileName } from '../../../gateway/stream/file-name.js'
import { disposition, headersFor, named, valuesOf } from './head-rig.js'

t.test('inline stays inline only for what a browser shows and does not run', async (t) => {
  const shown = ['image/png', 'audio/mpeg', 'video/webm', 'text/plain', 'text/plain; charset=utf-8', 'application/pdf']
  for (const type of [...shown, 'IMAGE/GIF', 'Application/PDF;x=y', 'text/plain ;a=b']) {
    t.equal(disposition('inline', type), 'inline', type)
    t.equal(disposition('INLINE; filename="a b.txt"', type), 'inline; filename="a b.txt"', type)
  }
  // What a browser would run is told as text/plain, so it may be shown as that.
  for (const type of ['text/html', 'image/svg+xml']) t.equal(disposition('inline', type), 'inline', type)
  const not = [
    'application/zip',
    'text/csv',
    'text/plainx',
    'application/pdfx',
    'application/json',
    'text/css',
    'x/image/png',
  ]
  for (const type of [...not, 'text/plain, text/html', 'imagex/png', undefined]) {
    t.equal(disposition('inline', type), 'attachment', String(type))
    t.equal(disposition('inline; filename=a.txt', type), 'attachment; filename=a.txt', String(type))
  }
  for (const given of ['form-data; name=x', 'inlinex', 'inline x', '"inline"', '=', ';', 'x\xe9', '*;filename']) {
    t.match(disposition(given, 'image/png') ?? '', /^attachment(;|$)/, given)
  }
  t.equal(disposition('attachment; filename=a.txt', 'image/png'), 'attachment; filename=a.txt')
  t.equal(disposition(undefined, 'image/png'), undefined, 'none given, none told')
})

t.test('each receiver chooses its own disposition', async (t) => {
  const wish = (download: boolean | undefined, filename?: string): DispositionOptions => ({
    download,
    filename,
    pipe: 'a/name',
  })
  t.equal(disposition(undefined, 'image/png', wish(true)), 'attachment; filename=name')
  t.equal(disposition('inline', 'image/png', wish(true)), 'attachment; filename=name')
  t.equal(disposition('attachment', 'image/png', wish(undefined)), 'attachment')
  t.equal(disposition('inline; filename=a', 'image/png', wish(true)), 'attachment; filename=a')
  t.equal(disposition('attachment; filename=a', 'image/png', wish(false)), undefined)
  t.equal(disposition('inline; filename=a', 'image/png', wish(undefined, 'b')), 'attachment; filename=b')
  t.equal(disposition(undefined, undefined, wish(true, 'b')), 'attachment; filename=b')
})

t.test('a download that nobody has named is named after the last segment of its name', async (t) => {
  const table: Readonly<Record<string, string>> = {
    jobs: 'attachment; filename=jobs',
    'a/b.tar': 'attachment; filename=b.tar',
    'a/b/': 'attachment; filename=b',
    'a%20b%2Fc%3Fd': 'attachment; filename="c?d"',
    '%E2%82%AC': 'attachment; filename="?"; filename*=UTF-8\'\'%E2%82%AC',
    '%FF': `attachment; filename=%FF; filename*=UTF-8''%25FF`,
    '..%2F..': 'attachment; filename=download',
  }
  for (const [pipe, told] of Object.entries(table)) {
    t.equal(disposition(undefined, undefined, { download: true, filename: undefined, pipe }), told, pipe)
  }
  const types = (wish?: DispositionOptions, type?: string) =>
    valuesOf(headersFor(type === undefined ? [] : [['content-type', type]], wish), 'Content-Type')
  t.same(types({ download: true, filename: undefined, pipe: 'x' }), ['application/octet-stream'])
  t.same(types({ download: true, filename: undefined, pipe: 'x' }, 'image/png'), ['image/png'])
  t.same(types(), [])
})

t.test('a file name is safe to save under', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'a.txt': 'a.txt',
    '/etc/passwd': 'passwd',
    '../../x': 'x',
    'C:\\dir\\x.exe': 'x.exe',
    'a\\../b/c': 'c',
    'dir/': 'download',
    '': 'download',
    '.': 'download',
    '..': 'download',
    ' . . ': 'download',
    '.bashrc': 'bashrc',
    'x. . ': 'x',
    'a\r\nb\x00\x7f\x1b\x85': 'ab',
    'a\u202etxt.exe': 'atxt.exe',
    '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069': 'download',
    'a\ufffdb': 'ab',
    'a\ud800b\udc00c': 'abc',
    '\udc00\ud800': 'download',
    '😀': '😀',
    '😀x😀😀.txt': '😀x😀😀.txt',
    'a"b\'c;d=e': 'a"b\'c;d=e',
    'ü€.pdf': 'ü€.pdf',
    ['x'.repeat(255)]: 'x'.repeat(255),
    ['x'.repeat(256)]: 'x'.repeat(255),
    ['😀'.repeat(300)]: '😀'.repeat(255),
    [`${'x'.repeat(254)}😀y`]: `${'x'.repeat(254)}😀`,
    [`${'x'.repeat(254)}.y`]: 'x'.repeat(254),
    [`${'.'.repeat(300)}x`]: 'x',
  }
  for (const [name, wanted] of Object.entries(table))
    t.equal(safeFileName(name), wanted, JSON.stringify(name.slice(0, 40)))
})

t.test('a file name is written as RFC 6266 wants it', async (t) => {
  t.equal(named('a.txt'), 'attachment; filename=a.txt')
  t.equal(named('a b.txt'), 'attachment; filename="a b.txt"')
  t.equal(named('say "hi"; x=\\.txt'), 'attachment; filename=.txt'.replace('.txt', 'txt'), 'a backslash ends a folder')
  t.equal(named('say "hi"; x=1'), 'attachment; filename="say \\"hi\\"; x=1"')
  t.equal(named('ü.txt'), 'attachment; filename="?.txt"; filename*=UTF-8\'\'%C3%BC.txt')
  t.equal(named('😀.txt'), 'attachment; filename="??.txt"; filename*=UTF-8\'\'%F0%9F%98%80.txt')
  t.match(named('100%41.txt'), /filename\*=UTF-8''100%2541\.txt$/, 'an escape in a name is not taken for one')
  const given = 'attachment; filename="x.txt"; filename*=UTF-8\'\'%e2%82%ac%0d%0aX%3a%20y.txt'
  t.match(disposition(given, undefined), /filename\*=UTF-8''%E2%82%ACX%3A%20y\.txt$/, 'cleaned after it was decoded')
  t.equal(disposition('inline; filename="../../a\\"b.png"', 'image/png'), 'inline; filename="a\\"b.png"')
})
