/** The Dockerfile, as far as it goes without an engine: what it names exists, what it deletes is deleted, what it starts starts. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DockerfileParser, type Instruction, type JSONInstruction } from 'dockerfile-ast'
import t from 'tap'
import { runProgram, startProgram } from '../support/program.js'
import { PROJECT, readProject } from '../support/project.js'

const dockerfile = DockerfileParser.parse(readProject('Dockerfile'))
const instructions = dockerfile.getInstructions()
const { files } = JSON.parse(readProject('package.json')) as { readonly files: readonly string[] }
const APP = '/node_modules/pipegate/'

function all(keyword: string): Instruction[] {
  return instructions.filter((instruction) => instruction.getKeyword() === keyword)
}

/** The arguments of the only instruction of this kind. */
function only(keyword: string): string {
  const [found, ...more] = all(keyword)
  if (found === undefined || more.length > 0) throw new Error(`${1 + more.length} instructions ${keyword}`)
  return found.getArgumentsContent()!
}

/** The arguments of a command in its exec form: no shell is asked, for there is none. */
function command(keyword: string): string[] {
  const [found] = all(keyword) as JSONInstruction[]
  return found!.getJSONStrings().map((string) => string.getJSONValue())
}

/** The commands of all RUN instructions, one by one, as the shell sees them. */
const runs = all('RUN').flatMap((run) => run.getRawArgumentsContent()!.replaceAll(/\\\n/g, ' ').split(' && '))

function step(beginning: string): string {
  const found = runs.map((run) => run.trim()).find((run) => run.startsWith(beginning))
  if (found === undefined) throw new Error(`no step begins with ${beginning}`)
  return found
}

function bash(script: string, cwd: string): string {
  return execFileSync('bash', ['-euo', 'pipefail', '-c', script], { cwd, encoding: 'utf8' })
}

t.test('the base is pinned, and the last stage has a user without rights and no shell', async (t) => {
  const version = dockerfile.getInitialARGs()[0]!.getProperty()!
  t.match(version.getValue(), /^\d+\.\d+\.\d+$/)
  t.same(
    dockerfile.getFROMs().map((from) => from.getImage()),
    [`node:\${${version.getName()}}-trixie-slim`, 'scratch'],
  )
  t.match(only('USER'), /^[1-9]\d{3,}:[1-9]\d{3,}$/)
  t.equal(only('STOPSIGNAL'), 'SIGTERM')
  t.equal(only('EXPOSE'), '8080')
  const [uid] = only('USER').split(':')
  t.ok(step("echo 'pipegate:x:").includes(`:${uid}:`))
})

t.test('what is copied is there, and all that the package consists of is', async (t) => {
  const copied = dockerfile.getCOPYs().filter((copy) => copy.getFlags().every((flag) => flag.getName() !== 'from'))
  const sources = copied.flatMap((copy) => copy.getArguments().slice(0, -1).map(String))
  t.ok(sources.length > 2)
  for (const source of sources) t.ok(existsSync(join(PROJECT, source)), source)
  const kept = [...readProject('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path!)
  for (const path of kept) t.ok(existsSync(join(PROJECT, path)), path)
  const inContext = (path: string) => kept.some((root) => path === root || path.startsWith(`${root}/`))
  const left = files.filter((path) => !/^!|^dist\//.test(path) && !inContext(path))
  t.same(left, ['deploy', 'docs', 'examples', 'man'], 'papers stay behind')
  for (const path of [
    'core',
    'client',
    'gateway',
    'plugins',
    'tsconfig.json',
    'tsconfig.browser.json',
    'deploy/docker/pipegate.yaml',
  ])
    t.ok(inContext(path), path)
  for (const source of sources) if (source !== '.') t.ok(inContext(source), source)
})

t.test('of the binaries one is left of each kind, on both processors', async (t) => {
  const kinds = ['x64', 'arm64']
  // Where npm runs scripts only those of its own processor are left already; in the image it runs none.
  const files = {
    'node_modules/uWebSockets.js': kinds.flatMap((arch) =>
      ['darwin', 'linux'].flatMap((system) => ['115', '127', '137'].map((abi) => `uws_${system}_${arch}_${abi}.node`)),
    ),
    'gateway/native/prebuilt': kinds.map((arch) => `sockets-linux-${arch}.node`),
  }
  const places = Object.keys(files) as (keyof typeof files)[]
  t.same(readdirSync(join(PROJECT, places[1]!)).sort(), [...files[places[1]!]].sort(), 'both of ours are there')
  for (const arch of ['x64', 'arm64']) {
    for (const abi of ['115', '127']) {
      const tree = t.testdir({})
      for (const place of places) {
        mkdirSync(join(tree, place), { recursive: true })
        for (const file of files[place]) writeFileSync(join(tree, place, file), '')
        const script = step(`find ${place}`)
        bash(script.replaceAll('process.arch', JSON.stringify(arch)).replaceAll('process.versions.modules', abi), tree)
      }
      t.same(
        places.map((place) => readdirSync(join(tree, place))),
        [[`uws_linux_${arch}_${abi}.node`], [`sockets-linux-${arch}.node`]],
      )
    }
  }
})

t.test('the libraries of these programs are found', async (t) => {
  const [list] = step('ldd ').split('| xargs')
  const here = list!
    .replace('/usr/local/bin/node', process.execPath)
    .replaceAll('*.node', `*${process.platform}?${process.arch}*.node`)
  const libraries = bash(here, PROJECT).trim().split('\n')
  t.ok(libraries.every(existsSync), `${libraries}`)
  for (const part of ['libc.so', 'libm.so', 'ld-linux']) {
    t.ok(
      libraries.some((library) => library.includes(part)),
      `${part} in ${libraries}`,
    )
  }
})

t.test('it starts what is there, and asks for its health', async (t) => {
  const variables = Object.fromEntries(
    dockerfile.getENVs().flatMap((env) => env.getProperties().map((one) => [one.getName(), one.getValue()!])),
  )
  const config = variables.PIPEGATE_CONFIG!
  const source = `/src/deploy/docker/pipegate.yaml ${join('/image', dirname(config))}`
  t.ok(step('cp /src/deploy').endsWith(source), 'the file that the variable names')
  const env = {
    PIPEGATE_CONFIG: join(PROJECT, 'deploy/docker/pipegate.yaml'),
    PIPEGATE_HOST: variables.PIPEGATE_HOST!,
  }
  const [node, main, ...more] = command('ENTRYPOINT')
  t.ok(step('cp --parents --dereference').includes(node!))
  t.ok(main!.startsWith(APP))
  const path = main!.slice(APP.length)
  t.equal(
    path,
    JSON.parse(readProject('package.json')).bin.pipegate,
    'the command of the package, by its file: there is no env',
  )
  t.ok(existsSync(join(PROJECT, path)) && files.includes(dirname(path)))
  const printed = await runProgram(t, [...more, ...command('CMD'), '--print-config'], { env })
  t.same([printed.code, printed.stderr], [0, ''])
  t.match(printed.stdout, /^host: 0\.0\.0\.0 # env PIPEGATE_HOST$/m)
  t.match(printed.stdout, `port: ${only('EXPOSE')} `)

  const words = only('HEALTHCHECK')
  const [healthNode, healthMain, ...question] = JSON.parse(words.slice(words.indexOf('['))) as string[]
  t.same([healthNode, healthMain], [node, main])
  const gateway = await startProgram(t, [], { env })
  const ask = { env: { ...env, PIPEGATE_PORT: `${gateway.port}` } }
  const good = await runProgram(t, question, ask)
  t.same([good.code, good.stderr], [0, ''])
  t.match(JSON.parse(good.stdout), { status: 'ok' })
  await gateway.endsAfter('SIGTERM')
  const bad = await runProgram(t, question, ask)
  t.same([bad.code, bad.stdout], [1, ''])
  t.match(bad.stderr, /^no answer from http:\/\/0\.0\.0\.0:\d+: .*ECONNREFUSED.*\n$/)
})
