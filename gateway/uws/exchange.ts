import type { Refusal } from '../../core/index.js'
import type { ClientCertificate } from '../http/client-certificate.js'
import type { Framing } from '../http/framing.js'
import type { Persistence } from '../http/response/persistence.js'
import type { Exchange, FollowedSinkOptions, SinkOptions, SourceOptions, TwoWayOptions } from '../router/exchange.js'
import { FormSource } from '../stream/form/form-source.js'
import { HttpExchange } from './connection/http-exchange.js'
import { FollowedUwsSink } from './roles/followed-sink.js'
import { UwsReply } from './roles/reply.js'
import { UwsSink } from './roles/sink.js'
import { UwsSource } from './roles/source.js'
import { UwsTwoWay } from './roles/two-way.js'

/** An exchange that the router can give a role. */
export class UwsExchange extends HttpExchange implements Exchange {
  readonly #client = this.context.clients?.judge(this.socket) ?? 0

  get clientRefusal(): Refusal | undefined {
    return this.#client < 0 ? this.context.clients?.refusal(this.socket, this.#client) : undefined
  }

  get clientCertificate(): ClientCertificate | undefined {
    return this.#client > 0 ? this.context.clients?.certificate(this.socket, this.#client) : undefined
  }

  toSource(options: SourceOptions): UwsSource | FormSource {
    const source = this.assign(new UwsSource(this, options))
    source.listen()
    return options.form === undefined ? source : new FormSource(source, options.form, this.context.clock)
  }

  toReply(accept: string, after: Persistence, failed: (error: unknown) => Refusal, framing?: Framing): UwsReply {
    const reply = this.assign(new UwsReply(this, accept, after, failed, framing))
    reply.listen()
    return reply
  }

  toSink(options: SinkOptions): UwsSink {
    return this.assign(new UwsSink(this, options))
  }

  toFollowedSink(options: FollowedSinkOptions): FollowedUwsSink {
    return this.assign(new FollowedUwsSink(this, options))
  }

  toTwoWay(options: TwoWayOptions, sinkOptions: SinkOptions): UwsTwoWay {
    const both = this.assign(new UwsTwoWay(this, options, sinkOptions))
    both.listen()
    return both
  }
}
