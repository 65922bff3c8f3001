/** The examples of the README. A recipe has the same stage with `pipegate` and with curl. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../support/free-port.js'
import { startPostgres } from './postgres.js'
import { type Stage, same } from './stage.js'

const TREE = { one: 'first file', two: 'x'.repeat(100_000) }

const FOLDER: Stage = {
  has: { photos: TREE },
  there: {},
  check: (t, dir) => same(t, dir, 'photos/two', 'there/photos/two'),
}

const DATABASE: Stage = {
  prepare: (dir, t) => startPostgres(dir, t),
  check: (t, _dir, run) => t.notMatch(run.map(({ text }) => text).join(''), 'ERROR'),
}

const FAN_OUT: Stage = {
  has: { 'release.tar': 'x'.repeat(1_000_000) },
  check: (t, dir) => same(t, dir, 'release.tar', 'release.1.tar', 'release.2.tar', 'release.3.tar'),
}

/** The link leads a browser to a page, and a program to the file. */
const LINK: Stage = {
  has: { 'report.pdf': '%PDF-1.7 and so on' },
  there: {},
  after: /^ *http\S+\?receive$/m,
  more: (shown) => {
    const [link] = /http\S+\?receive/.exec(shown)!
    return [
      `curl -fsS -H 'Accept: text/html' -H 'Sec-Fetch-Mode: navigate' '${link}' | grep -i '<!doctype html>' && curl -fsSOJ '${link}'`,
    ]
  },
  check(t, dir, [sender]) {
    same(t, dir, 'report.pdf', 'there/report.pdf')
    t.match(sender!.text, /[a-z]+-[a-z]+-[a-z]+-[a-z]+-\d{3}\?|[0-9a-f]{16}\/report\.pdf\?/, 'nobody guesses it')
  },
}

const JOB: Stage = { check: (t, _dir, run) => void t.match(run[1]!.text, /\{"resize": "cat.jpg"\}/) }

const BARRIER: Stage = { check: (t, dir) => void t.ok(existsSync(join(dir, 'started'))) }

const DELIVERED: Stage = {
  has: { 'invoice.xml': '<invoice/>', done: {} },
  check: (t, dir) => same(t, dir, 'done/invoice.xml', 'received.xml'),
}

const SECRET = { secret: 'correct horse battery staple' }
const PLANS = { 'plans.txt': 'nobody must know' }

const GIT: Stage = {
  prepare: makeRepository,
  there: {},
  check: (t, dir) => same(t, dir, 'project/file', 'there/copy/file'),
}

export const README_STAGES: Readonly<Record<string, Stage>> = {
  hello: {
    has: { 'some/big/folder': TREE },
    there: {},
    check: (t, dir) => same(t, dir, 'some/big/folder/two', 'there/folder/two'),
  },
  'first-light': {
    has: { 'some/big/folder': TREE, elsewhere: {} },
    check: (t, dir) => same(t, dir, 'some/big/folder/two', 'elsewhere/some/big/folder/two'),
  },
  folder: FOLDER,
  'folder-curl': FOLDER,
  // A database server and the hashing of a passphrase take seconds: one shell each.
  postgres: { ...DATABASE, shells: ['zsh'] },
  'postgres-curl': { ...DATABASE, shells: ['bash'] },
  'fan-out': FAN_OUT,
  'fan-out-curl': FAN_OUT,
  browser: LINK,
  'browser-curl': LINK,
  job: JOB,
  'job-curl': JOB,
  barrier: BARRIER,
  'barrier-curl': BARRIER,
  delivered: DELIVERED,
  'delivered-curl': DELIVERED,
  encrypted: {
    shells: ['zsh'],
    has: PLANS,
    there: {},
    after: /^ *pipegate receive .+$/m,
    more: (shown) => [/pipegate receive .+/.exec(shown)![0]],
    check: (t, dir) => same(t, dir, 'plans.txt', 'there/plans.txt'),
  },
  'encrypted-curl': {
    has: { ...PLANS, ...SECRET },
    there: SECRET,
    check: (t, dir) => same(t, dir, 'plans.txt', 'there/plans.copy.txt'),
  },
  git: GIT,
  'git-curl': GIT,
  question: {
    check: (t, dir) => void t.equal(readFileSync(join(dir, 'words.txt'), 'utf8').trim(), '5'),
  },
  watch: {
    has: { 'some/big/folder': TREE },
    there: {},
    check(t, dir, run) {
      same(t, dir, 'some/big/folder/two', 'there/folder/two')
      t.equal(run.at(-1)!.text, 'event: done\n')
    },
  },
  https: {
    prepare: async () => {
      const port = `${await freePort()}`
      return { PIPEGATE_PORT: port, HTTPS_PORT: port }
    },
    after: /"msg":"listening"/,
    async endless(_dir, [, ...others]) {
      for (const each of others) if ((await each.done) !== 0) throw new Error(each.text)
    },
    check: (t, dir) => void t.equal(readFileSync(join(dir, 'greeting'), 'utf8'), 'hello\n'),
  },
}

function makeRepository(dir: string): NodeJS.ProcessEnv {
  mkdirSync(join(dir, 'project'))
  const git = (...args: string[]) => execFileSync('git', ['-C', join(dir, 'project'), ...args], { stdio: 'pipe' })
  git('init', '-q', '-b', 'main')
  writeFileSync(join(dir, 'project', 'file'), 'content')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first')
  return {}
}
