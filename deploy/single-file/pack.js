// node pack.js TREE OUT: the files below TREE as OUT/files.json and OUT/files.gz, for start.cjs.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'

const [tree, out] = process.argv.slice(2)
const paths = readdirSync(tree, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(tree, join(entry.parentPath ?? entry.path, entry.name)))
  .sort()
const hash = createHash('sha256')
const pieces = []
const files = []
let start = 0
for (const path of paths) {
  const bytes = readFileSync(join(tree, path))
  files.push([path, bytes.length, start])
  hash.update(`${path}\n${bytes.length}\n`).update(bytes)
  pieces.push(bytes)
  start += bytes.length
}
const { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'))
writeFileSync(join(out, 'files.json'), JSON.stringify({ key: `${version}-${hash.digest('hex').slice(0, 16)}`, files }))
writeFileSync(join(out, 'files.gz'), gzipSync(Buffer.concat(pieces), { level: 9 }))
