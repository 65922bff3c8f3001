import type { BorrowedBytes } from '../../../core/index.js'
import { BaseBody } from './base-body.js'
import type { ResponseBody } from './response-body.js'

/** Of a response that has none, because of its status: a client would take any byte of it for the next response. It is dropped. */
export class BareBody extends BaseBody implements ResponseBody {
  wantsTurn(): boolean {
    return true
  }

  write(bytes: BorrowedBytes): number {
    return bytes.byteLength
  }

  /** The head leaves when the body has come to its end, whose failure can be told till then. */
  begin(): void {}

  override end(): boolean {
    this.res.cork(() => {
      this.writeHead()
      this.res.endWithoutBody()
    })
    return true
  }
}
