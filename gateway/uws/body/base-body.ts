import type { HttpResponse } from 'uWebSockets.js'
import type { BodyTarget } from './response-body.js'

const NOTHING = () => {}

/**
 * The most bytes that may still be on their way to the receiver's machine when its response ends. More than two packets of a
 * loopback interface: one alone is acknowledged only after 40 ms.
 */
const MAX_IN_FLIGHT = 256 * 1024

/** What both framings share: the response, its head until that has been written, and how it ends. */
export abstract class BaseBody {
  blocked = false
  done = false
  begun = false
  readonly res: HttpResponse

  constructor(readonly target: BodyTarget) {
    this.res = target.res
  }

  unblock(): void {
    this.blocked = false
  }

  probe(): boolean {
    return false
  }

  /**
   * What uWebSockets still has in its buffer when the response ends is given thirty seconds, and is then dropped without notice.
   * A receiver may need longer, so its response is not ended before the kernel takes the last bytes. Nor is it ended before
   * nearly all bytes have reached the receiver's machine: "complete" must not be reported while the kernel still holds
   * megabytes that may never arrive.
   */
  end(): boolean {
    if (!this.hasRoom) return false
    this.res.cork(() => {
      this.writeHead()
      this.res.end()
    })
    return true
  }

  /** Makes uWebSockets send what it kept. Returns whether that was all, and true when this is unknown. */
  protected flush(): boolean {
    this.res.cork(NOTHING)
    return this.target.sockets.sentAll(this.target.socket) !== false
  }

  protected get hasRoom(): boolean {
    return this.target.sockets.hasRoom(this.target.socket, MAX_IN_FLIGHT)
  }

  protected writeHead(): void {
    if (this.begun) return
    this.begun = true
    this.target.head()
  }
}
