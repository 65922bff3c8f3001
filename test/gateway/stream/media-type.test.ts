/** The type that receivers are given: never one that a browser would run. */
import t from 'tap'
import { safeMediaType } from '../../../gateway/stream/media-type.js'
import { HARMLESS, RUNNABLE } from './head-rig.js'

t.test('a type that a browser would run becomes text/plain', async (t) => {
  for (const type of RUNNABLE) {
    const mixed = type.replace(/[a-z]/g, (letter, at: number) => (at % 2 === 0 ? letter.toUpperCase() : letter))
    const spellings = [type, type.toUpperCase(), mixed, `${type};`, `${type} ; a=b`, `${type}\t`, `${type}; a="x;y"`]
    for (const each of spellings) t.equal(safeMediaType(each), 'text/plain', JSON.stringify(each))
    for (const each of [`${type}; charset=UTF-8`, `${type};charset="utf-8"`, `${type}; a=b; Charset=utf-8 ; c=d`]) {
      t.equal(safeMediaType(each), 'text/plain; charset=utf-8', each)
    }
  }
  for (const type of HARMLESS) {
    for (const each of [type, type.toUpperCase(), `${type}; charset=utf-8`, `${type}; a="text/html"`, `${type};a=b;`]) {
      t.equal(safeMediaType(each), each, each)
    }
  }
  t.equal(safeMediaType(undefined), undefined, 'no type given, none told')
})

t.test('only charsets that mean what they seem to mean are kept', async (t) => {
  for (const charset of [
    'iso-8859-1',
    'US-ASCII',
    'windows-1252',
    'Shift_JIS',
    'EUC-KR',
    'gb18030',
    'Big5',
    'koi8-r',
  ]) {
    t.equal(safeMediaType(`text/html; charset=${charset}`), `text/plain; charset=${charset.toLowerCase()}`)
  }
  for (const charset of [
    'utf-7',
    'utf-16',
    'utf-16le',
    'UTF-32',
    'iso-2022-jp',
    'hz-gb-2312',
    'x-user-defined',
    'utf-8x',
    '"utf-8 "',
  ]) {
    t.equal(safeMediaType(`text/html; charset=${charset}`), 'text/plain', charset)
  }
  t.equal(safeMediaType('text/html; xcharset=utf-8'), 'text/plain', 'the parameter has exactly this name')
})

t.test('a value that is no single media type is never forwarded as it is', async (t) => {
  const wrong = [
    ...['text/plain, text/html', 'text/html, text/plain', 'text/plain;a=b,text/html', 'text/plain; a="b,c", text/html'],
    ...['text', '/', 'text/', '/html', 'text/html/x', 'text html', 'text /html', 'text/ html', ' text/html', '*', ';'],
    ...[
      'text/html\xa0',
      'text\x0b/html',
      'text/html; a',
      'text/html; a=',
      'text/html; =b',
      'text/html; a="b',
      'text/html x',
    ],
    ...[
      'text/html; a=b c',
      'text/html; a="b"c',
      'text/html; a=b"',
      '"text/html"',
      '<text/html>',
      'text/html\xe9',
      '\xff',
    ],
  ]
  for (const type of wrong) t.equal(safeMediaType(type), 'application/octet-stream', JSON.stringify(type))
})
