import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type DecryptWith, decrypting } from '../../../client/encryption/decrypting.js'
import { type EncryptTo, encrypting } from '../../../client/encryption/encrypting.js'

/** The bytes in pieces of this size. */
export function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function encrypted(plain: Buffer, to: EncryptTo, pieceSize = 1 << 18): Promise<Buffer> {
  const stream = await encrypting(to)
  const out: Buffer[] = []
  await pipeline(Readable.from(pieces(plain, pieceSize), { objectMode: false }), stream, async (from) => {
    for await (const piece of from) out.push(piece as Buffer)
  })
  return Buffer.concat(out)
}

/** What was decrypted, and the error with which it ended. */
export async function decrypted(
  cipher: Buffer,
  secret: DecryptWith,
  pieceSize = 1 << 18,
): Promise<{ plain: Buffer; error: string | undefined }> {
  const out: Buffer[] = []
  try {
    const source = Readable.from(pieces(cipher, pieceSize), { objectMode: false })
    await pipeline(source, decrypting(secret), async (from) => {
      for await (const piece of from) out.push(piece as Buffer)
    })
    return { plain: Buffer.concat(out), error: undefined }
  } catch (error) {
    return { plain: Buffer.concat(out), error: (error as Error).message }
  }
}

/** Runs a program with something on its standard input. @throws what it said, when it failed */
export function piped(program: string, args: readonly string[], input: Buffer): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 })
  const [out, said]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (piece) => out.push(piece))
  child.stderr.on('data', (piece) => said.push(piece))
  // A program that has seen enough closes its input.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out))
      else reject(new Error(`${program} exited with ${code}: ${Buffer.concat(said)}`))
    })
  })
}
