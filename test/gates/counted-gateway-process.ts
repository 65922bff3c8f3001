import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'
import type { Counts, Question } from './counted-gateway.js'

/** A gateway in a process of its own, which counts what is in its heap. */
export class CountedGateway {
  private constructor(
    readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(t: Test, ...args: string[]): Promise<CountedGateway> {
    const child = fork(fileURLToPath(new URL('./counted-gateway.js', import.meta.url)), args)
    t.teardown(() => child.kill('SIGKILL'))
    const [port] = (await once(child, 'message')) as [number]
    return new CountedGateway(child, port)
  }

  async #ask(question: Question): Promise<unknown> {
    this.child.send(question)
    return (await once(this.child, 'message'))[0]
  }

  /** Once nobody is there any more, or so many are. */
  async count(isOpen: (open: number) => boolean = (open) => open === 0): Promise<Counts> {
    await eventually(async () => {
      const open = (await this.#ask('open')) as number
      return isOpen(open) || `${open} requests or transfers are not over`
    })
    return (await this.#ask('count')) as Counts
  }

  /** Bytes that have grown old since it was last asked. */
  async promoted(): Promise<number> {
    return (await this.#ask('promoted')) as number
  }
}
