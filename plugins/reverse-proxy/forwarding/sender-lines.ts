/** What a sender reads whose name has moved while it waited. */
export const MOVED = '[ERROR] Transfer failed: this name belongs to another relay now; send again.\n'

/** What a sender reads from a pipegate while it waits, and nothing else. The last line may lack its end. */
const WAITING = /^(\[INFO\] (Waiting for|Still waiting|A receiver|\d+ receiver|Somebody has|\d+ times)[^\n]*(\n|$))+$/
/** Of a sender that has read more it is not known whether it waits. */
const LONG = 64 * 1024

/** The lines that a pipegate has sent to a sender, for as long as they may mean that it waits. */
export class SenderLines {
  #text = ''

  add(bytes: Buffer): void {
    if (this.#text.length < LONG) this.#text += bytes.toString('latin1')
  }

  /** It has been told that it waits, and nothing since. */
  get waits(): boolean {
    return this.#text.length < LONG && WAITING.test(this.#text)
  }
}

/** To a pipegate. */
export function isUpload(method: string): boolean {
  return method === 'PUT' || method === 'POST'
}
